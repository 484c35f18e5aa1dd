"""Sessions instead of turns: which conversation a question is about, beside a published recipe with the same encoder."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ....memory.recall.fusion import shipped
from ....memory.recall.signals import LENGTH_SHARE, SATURATION
from ....memory.turns.terms import terms
from ....numerics.arrays import Floats, Labels, Vector
from ....perception import Encoder
from ...data.dialogues import UNANSWERABLE, Dialogue
from .asked import Case
from .whole import ndcg

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
"""Of the best turn, against BM25, of which the recipe takes the best on the other dialogues."""
DEPTH = 5
"""Sessions looked at by the discounted gain."""


@dataclass(frozen=True, kw_only=True)
class SessionScores:
    """What each way of searching gives every session of a dialogue for one question, `(sessions,)` each."""

    right: frozenset[int]
    """Sessions that hold evidence."""
    bm25: Floats
    """Okapi BM25, a session as one document."""
    best_turn: Floats
    """Cosine of the nearest turn (late interaction)."""
    lifelong: Floats
    """Share of the softmax of our turn scores that falls on the session's candidates."""

    def fused(self, weight: float) -> Floats:
        """Best turn and BM25, each between 0 and 1, under one weight."""
        return weight * _unit(self.best_turn) + (1 - weight) * _unit(self.bm25)


def session_scores(dialogue: Dialogue, asked: Sequence[Case], vectors: Vector, encoder: Encoder) -> list[SessionScores]:
    """Scores of the sessions for each answerable question of a dialogue with embeddings of all turns `(n, d)`."""
    of_turn = np.array([said.session for said in dialogue.turns], dtype=np.int64)
    documents = _Documents(dialogue, of_turn)
    found: list[SessionScores] = []
    for one in asked:
        if one.asked.category == UNANSWERABLE or not one.asked.evidence:
            continue
        best = np.full(documents.count, -1.0)
        np.maximum.at(best, of_turn, np.asarray(vectors @ encoder.encode([one.asked.text])[0], dtype=np.float64))
        found.append(
            SessionScores(
                right=frozenset(int(of_turn[turn]) for turn in one.asked.evidence),
                bm25=documents.bm25(one.asked.text),
                best_turn=best,
                lifelong=_pooled(one, of_turn, documents.count),
            )
        )
    return found


def methods(others: Sequence[SessionScores]) -> Mapping[str, Callable[[SessionScores], Floats]]:
    """Ways of ordering sessions; the recipe's weight is chosen by Hit@1 on other dialogues.

    "Training-free lexical-dense fusion", https://arxiv.org/abs/2606.04194: the best turn of a session fused by score with BM25.
    """
    weight = (
        max(WEIGHTS, key=lambda one: float(np.mean([hit_at_1(scores.fused(one), scores.right) for scores in others]))) if others else 0.5
    )
    return {
        "bm25": lambda scores: scores.bm25,
        "minilm_best_turn": lambda scores: scores.best_turn,
        "best_turn_and_bm25": lambda scores: scores.fused(weight),
        "lifelong": lambda scores: scores.lifelong,
    }


def hit_at_1(scores: Floats, right: frozenset[int]) -> float:
    """Whether the first session is right; of equal ones the first in order of time."""
    return float(int(np.argmax(scores)) in right)


def ndcg_of(scores: Floats, right: frozenset[int]) -> float:
    """Normalised discounted cumulative gain of the first `DEPTH` sessions."""
    return ndcg([int(row) for row in np.argsort(-scores, kind="stable")], right, DEPTH)


def _pooled(one: Case, of_turn: Labels, sessions: int) -> Floats:
    scores = one.values @ shipped().signals
    shares = np.exp(scores - scores.max())
    pooled = np.zeros(sessions)
    np.add.at(pooled, of_turn[list(one.turns)], shares / shares.sum())
    return pooled


def _unit(values: Floats) -> Floats:
    spread = float(values.max() - values.min())
    return (values - values.min()) / spread if spread > 0 else np.zeros_like(values)


class _Documents:
    """Sessions as documents."""

    def __init__(self, dialogue: Dialogue, of_turn: Labels) -> None:
        self.count = int(of_turn.max()) + 1
        self._terms = [Counter[str]() for _ in range(self.count)]
        for said in dialogue.turns:
            self._terms[said.session].update(terms(said.text))
        self._length = np.array([counts.total() for counts in self._terms], dtype=np.float64)

    def bm25(self, question: str) -> Floats:
        """Okapi BM25 of every session."""
        scores = np.zeros(self.count)
        norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * self._length / self._length.mean())
        for term in set(terms(question)):
            held = np.array([counts[term] for counts in self._terms], dtype=np.float64)
            holding = int((held > 0).sum())
            scores += math.log(1 + (self.count - holding + 0.5) / (holding + 0.5)) * held * (SATURATION + 1) / (held + norm)
        return scores
