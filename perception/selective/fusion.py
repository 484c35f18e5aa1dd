"""`Fusion`: several scores of one sample made one chance, by logistic regression over standardised scores.

The choice of what is fused is this project's own; logistic regression is the textbook's, and needs no paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float64]
"""Scores `(n, m)`: a row a sample, a column a score."""
LEAST_SCALE = 1e-6
"""Standard deviation below which a column is constant and says nothing."""


def logistic(log_odds: NDArray[np.floating]) -> NDArray[np.float64]:
    """`1 / (1 + exp(-x))` in (0, 1), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(log_odds, dtype=np.float64))))


def fused_log_odds(scores: Columns, centre: Columns, scale: Columns, weights: Columns, bias: float) -> NDArray[np.float64]:
    """`bias + sum_j w_j (s_j - c_j) / d_j` `(n,)`; a NaN score is not known and counts as its centre."""
    return np.asarray(bias + np.nan_to_num((scores - centre) / scale, nan=0.0) @ weights)


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """Weighted evidence for one kind of sample against another, read off samples of both."""

    centre: Columns
    """Mean of each score over the samples of the negative kind `(m,)`."""
    scale: Columns
    """Their standard deviation `(m,)`; 1 where it is none."""
    weights: Columns
    """Of the standardised scores `(m,)`."""
    bias: float
    """Log odds at the centre."""

    @classmethod
    def fit(
        cls,
        negative: Columns,
        positive: Columns,
        *,
        ridge: float = 5.0,
        balanced: bool = True,
        monotone: bool = True,
        towards_equal: bool = False,
    ) -> Self:
        """The fusion that tells positive samples `(p, m)` from negative ones `(n, m)`; all scores should be larger for the positive.

        Logistic regression (Cox 1958) with a penalty `ridge / (2 k) |w|^2` beside the mean loss, k being the size of the
        smaller kind. `balanced` gives both kinds the same total weight, so that the chance is that of a stream with as many
        of one as of the other. `towards_equal` draws weights towards those of `equal` in the place of zero, so that a few samples
        of one kind cannot make all evidence worthless. `monotone` allows no negative weight, so that what is fused points the way
        that every score does. Without positive samples nothing can be weighed: the answer is `equal`. Raises `ValueError` for no
        negative sample, infinite scores and columns that differ.
        """
        negative, positive = _checked(negative, positive)
        if not len(positive):
            return cls.equal(negative)
        from scipy.optimize import minimize

        start = cls.equal(negative)
        rows = np.nan_to_num((np.vstack([negative, positive]) - start.centre) / start.scale, nan=0.0)
        kinds = np.repeat([0.0, 1.0], [len(negative), len(positive)])
        # Either kind weighs one half in all, so that a rare one is not drowned by the other's count.
        shares = np.where(kinds == 1, 0.5 / len(positive), 0.5 / len(negative)) if balanced else np.full(len(kinds), 1 / len(kinds))
        # Over the smaller kind: a few samples of it are little evidence, however many of the other there are.
        penalty = ridge / min(len(negative), len(positive))
        prior = start.weights if towards_equal else np.zeros_like(start.weights)

        def loss(values: Columns) -> tuple[float, Columns]:
            odds = rows @ values[1:] + values[0]
            # The derivative of `log(1 + exp(z)) - y z` in z is `logistic(z) - y`.
            slope = shares * (logistic(odds) - kinds)
            size = float(shares @ (np.logaddexp(0, odds) - kinds * odds) + 0.5 * penalty * np.sum((values[1:] - prior) ** 2))
            return size, np.r_[slope.sum(), rows.T @ slope + penalty * (values[1:] - prior)]

        columns = rows.shape[1]
        bounds = [(None, None), *[(0.0 if monotone else None, None)] * columns]
        found = minimize(loss, np.zeros(columns + 1), jac=True, method="L-BFGS-B", bounds=bounds)
        return cls(centre=start.centre, scale=start.scale, weights=found.x[1:], bias=float(found.x[0]))

    @classmethod
    def equal(cls, negative: Columns, bias: float = 0.0) -> Self:
        """The mean of the standardised scores, plus a bias. Raises `ValueError` for no sample and infinite scores."""
        negative, _ = _checked(negative, negative[:0])
        known = ~np.isnan(negative)
        count = np.maximum(known.sum(0), 1)
        centre = np.where(known, negative, 0).sum(0) / count
        spread = np.sqrt(np.where(known, (negative - centre) ** 2, 0).sum(0) / count)
        # A score that never varies would be divided by almost nothing, and its rounding would count as evidence.
        constant = spread < LEAST_SCALE
        return cls(centre=centre, scale=np.where(constant, 1, spread), weights=np.full(len(centre), 1 / max(1, len(centre))), bias=bias)

    def log_odds(self, scores: Columns) -> NDArray[np.float64]:
        """Log odds `(n,)` of the positive kind; larger is more of it."""
        return fused_log_odds(np.asarray(scores, dtype=np.float64), self.centre, self.scale, self.weights, self.bias)

    def chance(self, scores: Columns) -> NDArray[np.float64]:
        """Chance `(n,)` of the positive kind, in [0, 1]."""
        return logistic(self.log_odds(scores))


def _checked(negative: Columns, positive: Columns) -> tuple[Columns, Columns]:
    negative, positive = np.asarray(negative, dtype=np.float64), np.asarray(positive, dtype=np.float64)
    if negative.ndim != 2 or positive.ndim != 2 or negative.shape[1] != positive.shape[1] or not len(negative):
        raise ValueError(f"scores of the shapes {negative.shape} and {positive.shape}; equal columns and one negative row are needed")
    if np.isinf(negative).any() or np.isinf(positive).any():
        raise ValueError("scores hold infinite values; leave these rows out")
    return negative, positive
