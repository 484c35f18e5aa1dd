"""`AnalyticHead`: what the heads share that follow in closed form from class moments of some features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Arrays, Floats, Labels, Vector, validate_rows
from ...numerics.class_statistics import ClassStatistics
from .head import HeadLogits, predicted

LogitFunction = Callable[[Floats], HeadLogits]
"""What a head has become: features `(n, d)` to logits `(n, classes)`."""


class AnalyticHead(ABC):
    """A head that is a function of the class moments of features; learning and unlearning are exact updates of the moments."""

    def __init__(self) -> None:
        self._moments: ClassStatistics | None = None
        self._dimensions = 0
        self._answer: LogitFunction | None = None

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return np.zeros(0, dtype=np.int64) if self._moments is None else self._moments.labels

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples of classes old or new, as if all had come at once."""
        rows = validate_rows("vectors", vectors, self._dimensions or None)
        if not self._dimensions:
            self._begin(rows.shape[1])
        self._update(self._features(rows), np.asarray(labels, dtype=np.int64), forget=False)
        self._answer = None

    def unlearn(self, vectors: Vector, labels: Labels) -> None:
        """Take samples back as if they had never been there, up to float64 rounding. Raises `ValueError` for unknown ones."""
        if not self._dimensions:
            raise ValueError(f"{type(self).__name__} has learned nothing yet; there is nothing to take back")
        rows = validate_rows("vectors", vectors, self._dimensions)
        self._update(self._features(rows), np.asarray(labels, dtype=np.int64), forget=True)
        self._answer = None

    def logits(self, vectors: Vector) -> HeadLogits:
        """Scores `(n, classes)`, larger is likelier."""
        if self._answer is None and not len(self.labels):
            raise ValueError(f"{type(self).__name__} knows no class yet; call `learn` first")
        rows = validate_rows("vectors", vectors, self._dimensions)
        self._answer = self._answer or self._solve()
        return self._answer(self._features(rows))

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class number `(n,)`."""
        return predicted(self.labels, self.logits(vectors))

    def state(self) -> dict[str, NDArray[Any]]:
        """The moments and the length of a vector."""
        return {"dimensions": np.array(self._dimensions), **(self._moments.state() if self._moments else {})}

    def restore(self, state: Arrays) -> None:
        """Restore what `state` returned."""
        self._moments, self._dimensions, self._answer = None, 0, None
        if dimensions := int(state["dimensions"]):
            self._begin(dimensions)
            self._known().restore(state)

    def _begin(self, dimensions: int) -> None:
        """Get ready for vectors of this length."""
        self._dimensions = dimensions
        self._moments = ClassStatistics(self._features(np.zeros((1, dimensions), dtype=np.float32)).shape[1])

    def _known(self) -> ClassStatistics:
        assert self._moments is not None, "`_begin` comes first"
        return self._moments

    def _update(self, features: Floats, labels: Labels, *, forget: bool) -> None:
        (self._known().forget if forget else self._known().learn)(features.astype(np.float32), labels)

    def _features(self, rows: NDArray[np.float32]) -> Floats:
        # In float64, so that a row has the same features (once rounded to float32) whatever stands beside it in the batch.
        return rows.astype(np.float64)

    @abstractmethod
    def _solve(self) -> LogitFunction:
        """What answers for features `(n, features)`, from the moments."""


ROUNDING = 1e-12
"""A variance below this share of the mean square of the features is what rounding left, not variance."""


def shrunk(covariance: Floats, share: float, floor: float = 0.0) -> Floats:
    """`(1 - share) S + share v I` with `v` the mean variance of `S`; the identity where `v` is not above `floor`.

    So it is never singular for a share above 0: classes of one sample each, or of equal samples, have a defined answer.
    """
    variance = float(np.trace(covariance)) / len(covariance)
    if variance <= floor:
        return np.eye(len(covariance))
    mixed = (1 - share) * covariance
    mixed.flat[:: len(covariance) + 1] += share * variance
    return mixed


def discriminant(moments: ClassStatistics, within: Floats, share: float) -> LogitFunction:
    """Linear discriminant analysis with equal priors: `x' S^-1 m_c - m_c' S^-1 m_c / 2`, `S` the shrunk covariance all classes share.

    `within` is that covariance `(d, d)` before it is shrunk, as `moments` give it.
    """
    from scipy.linalg import cho_factor, cho_solve

    # Around the mean of all, where the numbers are small and nothing cancels.
    mean = moments.mean
    means = moments.means - mean
    square = moments.square / moments.counts.sum() / moments.dimensions
    # What comes of finite moments is finite: each of the checks left out reads the whole matrix.
    factor = cho_factor(shrunk(within, share, ROUNDING * square), overwrite_a=True, check_finite=False)
    weights = cho_solve(factor, means.T, check_finite=False)
    offset = np.einsum("cd,dc->c", means, weights) / 2
    return lambda rows: np.asarray((rows - mean) @ weights - offset)
