"""Learning to recall from use: which turns an answer made use of, and weights of the signals that put such turns first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...numerics.arrays import Floats
from ..turns.terms import terms
from .fusion import Weights
from .signals import SIGNALS

USED = 0.5
"""Share of what an answer says beyond its question, from which on a turn that holds it was used."""
STRENGTH = 0.1
"""How strongly learned weights are drawn towards those that come with the package, in standard deviations of the signals."""
FOLDS = 4
"""Parts of the questions; each is judged by weights that were learned from the others (cross-fitting)."""
DOUBT = 0.005
"""Share of the bootstrap that may find no gain."""
LEAST = 40
"""Questions with a turn that was used, below which nothing is learned."""
AGREEMENT = 2.0
"""Times the reciprocal rank of chance that what was used has at least under the weights of the package."""
RESAMPLES = 1000
"""Of the bootstrap over the questions."""


@dataclass(frozen=True, kw_only=True)
class UsedQuestion:
    """One question with its candidates."""

    values: Floats
    """Signals of the candidates, `(n, s)`."""
    used: Floats
    """1 where the answer made use of a candidate, `(n,)`."""


@dataclass(frozen=True, kw_only=True)
class LearnedRecall:
    """What was learned from use, and whether it serves."""

    signals: tuple[float, ...]
    """Weight of each signal, in the order of `SIGNALS`; empty where those that come with the package serve on."""
    questions: int
    """Questions that were learned from or judged by."""
    gain: float
    """Rise of the mean reciprocal rank of the first turn that was used, on questions that were not learned from."""
    lowest_gain: float
    """Lower end of its interval, below which `DOUBT` of the bootstrap lies."""


def used_turns(question: str, answer: str, texts: Sequence[str]) -> Floats:
    """1 for each text that holds much of what an answer says beyond its question, `(n,)`.

    >>> used_turns("Where does Ada live?", "She lives in Bern.", ["Ada moved to Bern.", "Ada lives alone."]).tolist()
    [1.0, 0.0]
    """
    new = set(terms(answer)) - set(terms(question))
    if not new:
        return np.zeros(len(texts))
    return np.array([float(len(new & set(terms(text))) >= USED * len(new)) for text in texts])


def learn_from_use(questions: Sequence[UsedQuestion], base: Weights) -> LearnedRecall:
    """Weights that put what was used first, where they do so on questions that they were not learned from.

    Listwise loss with a quadratic pull towards `base`, convex in the weights; no signal that speaks for a turn comes to count against it.
    Published only where the mean reciprocal rank rises with its whole interval above 0, as an adapter is.
    """
    found = [one for one in questions if 0 < one.used.sum() < len(one.used)]
    nothing = LearnedRecall(signals=(), questions=len(found), gain=0.0, lowest_gain=0.0)
    if len(found) < LEAST or not _agrees(found, base):
        return nothing
    gains = np.zeros(len(found))
    for part in range(FOLDS):
        signals = _fit([one for place, one in enumerate(found) if place % FOLDS != part], base)
        gains[part::FOLDS] = [_reciprocal(one, signals) - _reciprocal(one, base.signals) for one in found[part::FOLDS]]
    drawn = np.random.default_rng(0).integers(0, len(gains), (RESAMPLES, len(gains)))
    lowest = float(np.quantile(gains[drawn].mean(axis=1), DOUBT))
    gain = float(gains.mean())
    learned = tuple(_fit(found, base).round(4).tolist()) if lowest > 0 else ()
    return LearnedRecall(signals=learned, questions=len(found), gain=gain, lowest_gain=lowest)


def with_signals(base: Weights, signals: Sequence[float]) -> Weights:
    """The weights with others for the signals; those of the package where there are none, or of another version's signals."""
    if len(signals) != len(SIGNALS):
        return base
    return Weights(signals=np.array(signals), evidence=base.evidence, offset=base.offset)


def _fit(questions: Sequence[UsedQuestion], base: Weights) -> Floats:
    from scipy.optimize import minimize

    rows = np.concatenate([one.values for one in questions])
    spread = rows.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    sizes = np.array([len(one.used) for one in questions])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    target = np.concatenate([one.used / one.used.sum() for one in questions])
    scaled, start = rows / scale, base.signals * scale

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = scaled @ weights
        scores = scores - np.repeat(np.maximum.reduceat(scores, starts), sizes)
        logs = scores - np.repeat(np.log(np.add.reduceat(np.exp(scores), starts)), sizes)
        away = weights - start
        value = STRENGTH * float(away @ away) - float(target @ logs) / len(sizes)
        return value, 2 * STRENGTH * away + scaled.T @ (np.exp(logs) - target) / len(sizes)

    bounds = [(None, 0.0) if weight < 0 else (0.0, None) for weight in base.signals]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
    fitted = best.x / scale
    # The probability reads the scores' size, so that stays what it was.
    return np.asarray(fitted * (rows @ base.signals).std() / max(float((rows @ fitted).std()), 1e-9))


def _agrees(questions: Sequence[UsedQuestion], base: Weights) -> bool:
    """Whether what was used stands far before chance already: feedback that has nothing to do with what was found teaches nothing."""
    found = float(np.mean([_reciprocal(one, base.signals) for one in questions]))
    chance = float(np.mean([min(1.0, one.used.sum() * (1 / np.arange(1, len(one.used) + 1)).mean()) for one in questions]))
    return found > AGREEMENT * chance


def _reciprocal(one: UsedQuestion, signals: Floats) -> float:
    scores = one.values @ signals
    return 1.0 / (1 + int((scores > scores[one.used > 0].max()).sum()))
