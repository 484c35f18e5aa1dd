"""`RelativeDistance`: Mahalanobis distances to classes relative to all samples together, also as if a sample had been left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...numerics.arrays import Floats, Labels, Vector
from ...numerics.class_statistics import ClassStatistics, whitening


@dataclass(frozen=True, kw_only=True)
class RelativeDistance:
    """What follows from class moments for classes that share one covariance; classes are in the order of `moments.labels`."""

    mean: Floats
    """Mean of all samples `(d,)`."""
    within: Floats
    """Whitening of the covariance around the class means `(d, d)`."""
    total: Floats
    """Whitening of the covariance around the mean `(d, d)`."""
    centres: Floats
    """Whitened class means `(classes, d)`, from `mean`."""
    counts: Floats
    """Samples of each class `(classes,)`."""

    @classmethod
    def from_statistics(cls, statistics: ClassStatistics) -> RelativeDistance:
        """Derived from statistics of at least one sample."""
        within = whitening(statistics.within())
        return cls(
            mean=statistics.mean,
            within=within,
            total=whitening(statistics.total()),
            centres=(statistics.means - statistics.mean) @ within,
            counts=statistics.counts.copy(),
        )

    def distances(self, vectors: Vector) -> Floats:
        """Squared distance `(n, classes)` of every row `(n, d)` to every class mean; minus a half of it is the log-density."""
        rows = (vectors.astype(np.float64) - self.mean) @ self.within
        lengths = np.einsum("nd,nd->n", rows, rows)[:, None]
        # Rounding may take the difference of two large squares below zero.
        return np.asarray(np.maximum(lengths - 2 * rows @ self.centres.T + np.einsum("cd,cd->c", self.centres, self.centres), 0))

    def background(self, vectors: Vector) -> Floats:
        """Squared distance `(n,)` to the mean of all samples under their covariance."""
        rows = (vectors.astype(np.float64) - self.mean) @ self.total
        return np.asarray(np.einsum("nd,nd->n", rows, rows))

    def novelty(self, vectors: Vector) -> Floats:
        """Novelty `(n,)`: the least distance less the background's (Ren et al. 2021, "A Simple Fix to Mahalanobis Distance", equation 2,
        https://arxiv.org/abs/2106.09022).
        """
        return np.asarray(self.distances(vectors).min(1) - self.background(vectors))

    def leave_one_out_novelty(self, vectors: Vector, classes: Labels) -> Floats:
        """Novelty `(n,)` of samples that are part of the moments, each as if it had not been; `classes` are places in `counts`.

        Exact by the Sherman-Morrison formula. With N samples, scatter S around the class means, residual r of a sample of a
        class of n, a = n / (n - 1) and q = r' S^-1 r, the scatter without it is S - a r r', and its own residual is a r: so its
        squared distance to its own class is (N - 1) a^2 q / (1 - a q), and to another class, residual p, it is
        (N - 1) (p' S^-1 p + a (p' S^-1 r)^2 / (1 - a q)). A class of one sample is gone without it.
        """
        total = float(self.counts.sum())
        rows, places = (vectors.astype(np.float64) - self.mean) @ self.within, np.arange(len(vectors))
        own = rows - self.centres[classes]
        lengths = self.distances(vectors) / total
        products = (np.einsum("nd,nd->n", rows, own)[:, None] - own @ self.centres.T) / total
        length = lengths[places, classes]
        share = self.counts[classes] / np.maximum(self.counts[classes] - 1, 1e-9)
        left = np.maximum(1 - share * length, 1e-9)
        distances = (total - 1) * (lengths + share[:, None] * products**2 / left[:, None])
        alone = self.counts[classes] < 2
        distances[places, classes] = np.where(alone, np.inf, (total - 1) * share**2 * length / left)
        # Without a class of one sample the scatter is what it was, for that sample's residual is zero: only the count falls.
        distances[alone] = np.where(np.isinf(distances[alone]), np.inf, (total - 1) * lengths[alone])
        background = self.background(vectors) / total
        ratio = total / (total - 1)
        outside = (total - 1) * ratio**2 * background / np.maximum(1 - ratio * background, 1e-9)
        return np.asarray(distances.min(1) - outside)
