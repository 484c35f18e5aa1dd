"""Signals: what speaks for a turn being needed for a question, one pure function each.

A signal reads the question and the candidates, a few hundred turns with their neighbours, and gives one number a candidate; larger
speaks for it. What a signal costs is linear in the candidates, whatever the size of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...numerics.arrays import Floats, Labels

SATURATION = 1.2
LENGTH_SHARE = 0.75
"""Okapi BM25's k1 and b, at their usual values."""
RANK_OFFSET = 10.0
"""k of reciprocal ranks: the first ten count for much (Cormack, Clarke & Buettcher 2009)."""
FEEDBACK = 5
"""How many of the best candidates stand for what is sought, in `feedback`."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """What may be needed for one question: `n` turns in the order of session and position, and what was asked."""

    asked: Floats
    """Inverse document frequency of each term of the question `(t,)`, in the whole record of the tenant; larger is rarer."""
    found: Floats
    """How often each of them stands in each turn, `(n, t)`."""
    similarity: Floats
    """Cosine of each turn's embedding to the question's, `(n,)`."""
    vectors: Floats
    """Embeddings, unit rows `(n, d)`."""
    session: Labels
    """Number of the session, `(n,)`."""
    position: Labels
    """Place in the session, `(n,)`, from 0."""
    length: Floats
    """Terms of each turn, `(n,)`."""
    average_length: float
    """Terms of an average turn of the record."""
    question: Floats
    """1 where a turn asks something, `(n,)`."""
    tells_time: Floats
    """1 where a turn says when, `(n,)`."""
    tells_number: Floats
    """1 where a turn says how many, `(n,)`."""
    named: Floats
    """1 where the question names the speaker, -1 where it names another, 0 where it names nobody, `(n,)`."""
    period: Floats
    """How well the turn's date fits the date that the question names, in [0, 1]; 0 where it names none, `(n,)`."""
    asks_time: bool = False
    """Whether the question is for a time."""
    asks_number: bool = False
    """Whether the question is for a number."""

    def before(self, values: Floats, steps: int = 1) -> Floats:
        """`values` of the turn `steps` before each in its session, of the one after for a negative number; 0 where it is no candidate."""
        rows = np.arange(len(values))
        moved = np.clip(rows - steps, 0, len(values) - 1)
        same = (self.session[moved] == self.session) & (self.position - self.position[moved] == steps) & (moved != rows)
        shape = same.reshape(-1, *[1] * (values.ndim - 1))
        return np.where(shape, values[moved], 0.0)

    def best_of_session(self, values: Floats) -> Floats:
        """The largest value of each turn's session."""
        best = np.full(int(self.session.max(initial=-1)) + 1, -np.inf)
        np.maximum.at(best, self.session, values)
        return best[self.session]

    def share(self, found: Floats) -> Floats:
        """Share of what was asked that is there, by weight, of rows like those of `found`."""
        return ((found > 0) @ self.asked) / max(float(self.asked.sum()), 1e-9)

    @cached_property
    def bm25(self) -> Floats:
        """Okapi BM25 (Robertson & Zaragoza 2009, https://doi.org/10.1561/1500000019, eq. 3.15), by the largest that is possible."""
        norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * self.length / max(self.average_length, 1e-9))
        gain = self.found / (self.found + norm[:, None])
        return (gain @ self.asked) / max(float(self.asked.sum()), 1e-9)

    @cached_property
    def both(self) -> Floats:
        """Words and meaning, each in standard deviations."""
        return standard(self.bm25) + standard(self.similarity)


def standard(values: Floats) -> Floats:
    """Deviation from the candidates' mean in standard deviations."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def reciprocal_rank(values: Floats) -> Floats:
    """10 / (10 + rank), rank 0 for the largest.

    >>> reciprocal_rank(np.array([0.1, 0.9, 0.5])).round(3).tolist()
    [0.833, 1.0, 0.909]
    """
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return RANK_OFFSET / (RANK_OFFSET + ranks)


def session_share(one: Candidates) -> Floats:
    """Share of the asked terms that the candidates of the session hold together."""
    together = np.zeros((int(one.session.max(initial=-1)) + 1, one.found.shape[1]))
    np.add.at(together, one.session, one.found)
    return one.share(together)[one.session]


def window_share(one: Candidates) -> Floats:
    """Share of the asked terms that a turn and its two neighbours hold together."""
    return one.share(one.found + one.before(one.found) + one.before(one.found, -1))


def window_similarity(one: Candidates) -> Floats:
    """Mean similarity of a turn and its two neighbours."""
    return standard(one.similarity + one.before(one.similarity) + one.before(one.similarity, -1))


def rarest(one: Candidates) -> Floats:
    """Weight of the rarest asked term that a turn holds, by that of the rarest asked."""
    return np.asarray(((one.found > 0) * one.asked).max(axis=1, initial=0.0) / max(float(one.asked.max(initial=0.0)), 1e-9))


def feedback(one: Candidates) -> Floats:
    """Similarity to the mean of the best candidates (pseudo-relevance feedback, Rocchio 1971)."""
    best = np.argsort(-one.both, kind="stable")[:FEEDBACK]
    return standard(one.vectors @ one.vectors[best].mean(axis=0))


def after_question(values: Callable[[Candidates], Floats]) -> Callable[[Candidates], Floats]:
    """A signal: the value of the turn before, where that one asks something, since this one answers it."""
    return lambda one: one.before(values(one) * one.question)


SIGNALS: dict[str, tuple[str, Callable[[Candidates], Floats]]] = {
    "bm25": ("words", lambda one: one.bm25),
    "bm25_standard": ("words", lambda one: standard(one.bm25)),
    "bm25_rank": ("words", lambda one: reciprocal_rank(one.bm25)),
    "share": ("words", lambda one: one.share(one.found)),
    "share_squared": ("words", lambda one: one.share(one.found) ** 2),
    "rarest": ("words", rarest),
    "similarity": ("meaning", lambda one: one.similarity),
    "similarity_standard": ("meaning", lambda one: standard(one.similarity)),
    "similarity_rank": ("meaning", lambda one: reciprocal_rank(one.similarity)),
    "both_rank": ("meaning", lambda one: reciprocal_rank(one.both)),
    "similar_and_shared": ("meaning", lambda one: one.similarity * one.share(one.found)),
    "feedback": ("meaning", feedback),
    "window_share": ("neighbours", window_share),
    "window_similarity": ("neighbours", window_similarity),
    "bm25_before": ("neighbours", lambda one: one.before(one.bm25)),
    "bm25_after": ("neighbours", lambda one: one.before(one.bm25, -1)),
    "similarity_before": ("neighbours", lambda one: one.before(standard(one.similarity))),
    "similarity_after": ("neighbours", lambda one: one.before(standard(one.similarity), -1)),
    "both_two_before": ("neighbours", lambda one: one.before(one.both, 2)),
    "both_two_after": ("neighbours", lambda one: one.before(one.both, -2)),
    "answers_words": ("neighbours", after_question(lambda one: one.bm25)),
    "answers_meaning": ("neighbours", after_question(lambda one: standard(one.similarity))),
    "answers": ("neighbours", lambda one: one.before(one.question)),
    "session_share": ("session", session_share),
    "session_words": ("session", lambda one: standard(one.best_of_session(one.bm25))),
    "session_meaning": ("session", lambda one: standard(one.best_of_session(one.similarity))),
    "session_rank": ("session", lambda one: reciprocal_rank(one.best_of_session(one.both))),
    "opens_session": ("session", lambda one: (one.position == 0).astype(np.float64)),
    "period": ("time", lambda one: one.period),
    "time_for_time": ("time", lambda one: one.tells_time * one.asks_time),
    "number_for_number": ("time", lambda one: one.tells_number * one.asks_number),
    "named": ("speaker", lambda one: one.named),
    "named_and_similar": ("speaker", lambda one: one.named * one.similarity),
    "length": ("form", lambda one: np.log1p(one.length)),
    "asks": ("form", lambda one: one.question),
}
"""Every signal with the kind of reason that it is: hits are explained by these kinds."""


def signals(one: Candidates, wanted: Collection[str] = SIGNALS.keys()) -> Floats:
    """All signals of all candidates, `(n, len(SIGNALS))`; zero where one is not `wanted`."""
    nothing = np.zeros(len(one.length))
    return np.stack([formula(one) if name in wanted else nothing for name, (_, formula) in SIGNALS.items()], axis=1)
