"""`ClassGaussians`: a mean and a covariance of low rank for each class, in a feature space that may move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Floats, Labels
from ...heads.analytic import shrunk

SHRINKAGE = 0.1
"""Of the covariance that all classes share, towards equal variances."""
SHARED = 0.5
"""Share of the covariance of all classes in what is drawn for one: a class alone has fewer samples than dimensions."""


class ClassGaussians:
    """Of each class the count, the mean, and at most `rank` directions of its covariance, `R` `(rank, d)` with `R'R` the covariance.

    A class costs the bytes of `rank + 1` vectors.
    """

    def __init__(self, *, rank: int = 20) -> None:
        self.rank = rank
        self.counts: dict[int, int] = {}
        self._means: dict[int, Floats] = {}
        self._roots: dict[int, Floats] = {}

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending: the order of `means`."""
        return np.array(sorted(self.counts), dtype=np.int64)

    @property
    def means(self) -> Floats:
        """`(classes, d)`."""
        return np.stack([self._means[label] for label in sorted(self.counts)])

    def learn(self, vectors: NDArray[np.floating], labels: Labels) -> None:
        """Add samples `(n, d)`; those of a class known before join its Gaussian."""
        for label in np.unique(labels).tolist():
            rows = np.asarray(vectors, dtype=np.float64)[labels == label]
            count, mean = len(rows), rows.mean(0)
            parts = [rows - mean]
            if held := self.counts.get(label, 0):
                # The squares around the common mean: those of both parts, and that of their distance.
                parts += [
                    self._roots[label] * max(held - 1, 1) ** 0.5,
                    (mean - self._means[label])[None] * (held * count / (held + count)) ** 0.5,
                ]
                mean = (held * self._means[label] + count * mean) / (held + count)
            self.counts[label], self._means[label] = held + count, mean
            self._roots[label] = self._reduced(np.concatenate(parts)) / max(held + count - 1, 1) ** 0.5

    def covariance(self, label: int) -> Floats:
        """Of a class, `(d, d)`, divided by n - 1."""
        return np.asarray(self._roots[label].T @ self._roots[label])

    def within(self) -> Floats:
        """Covariance around the class means, the same for all classes, `(d, d)`."""
        free = {label: max(count - 1, 0) for label, count in self.counts.items()}
        rows = np.concatenate([self._roots[label] * free[label] ** 0.5 for label in free])
        return np.asarray(rows.T @ rows / max(sum(free.values()), 1))

    def moved(self, matrix: Floats, offset: Floats) -> ClassGaussians:
        """The Gaussians of `x M + b` where x are those of these."""
        result = ClassGaussians(rank=self.rank)
        result.counts = dict(self.counts)
        result._means = {label: mean @ matrix + offset for label, mean in self._means.items()}
        result._roots = {label: root @ matrix for label, root in self._roots.items()}
        return result

    def draws(self, each: int, seed: int) -> tuple[NDArray[np.float32], Labels]:
        """Pseudo-features: so many from every class's Gaussian, scaled to length one as features are, and their class numbers."""
        draw = np.random.default_rng(seed)
        means, shared = self.means, np.linalg.cholesky(shrunk(self.within(), SHRINKAGE))
        # The covariances of independent parts add up: `SHARED` of all classes', and below the rest of the class's own.
        rows = np.repeat(means, each, axis=0) + SHARED**0.5 * draw.normal(size=(each * len(means), means.shape[1])) @ shared.T
        for place, label in enumerate(self.labels.tolist()):
            root = self._roots[label]
            rows[place * each : (place + 1) * each] += (1 - SHARED) ** 0.5 * draw.normal(size=(each, len(root))) @ root
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), np.repeat(self.labels, each)

    def _reduced(self, rows: Floats) -> Floats:
        """At most `rank` rows with the same sum of squares in the directions that have most of it."""
        if len(rows) <= self.rank:
            return rows
        # The nearest matrix of this rank (Eckart and Young 1936), written as rows whose products are its covariance.
        _, lengths, directions = np.linalg.svd(rows, full_matrices=False)
        return np.asarray(lengths[: self.rank, None] * directions[: self.rank])


def drift(before: NDArray[np.float32], after: NDArray[np.float32], regularisation: float = 1.0) -> tuple[Floats, Floats]:
    """`M` `(d, d)` and `b` `(d,)` with `x M + b` close to where a row x `(n, d)` has gone; what no row says stays in place.

    The linear drift compensation (https://arxiv.org/abs/2407.08536) of Gomez-Villa et al. 2024, "Exemplar-free Continual Representation
    Learning via Learnable Drift
    Compensation", in closed form: ridge regression of the displacement on the rows, their mean taken out.
    """
    centre = before.mean(0, dtype=np.float64)
    rows, moves = before - centre, after.astype(np.float64) - before
    gram = rows.T @ rows + regularisation * np.eye(rows.shape[1])
    matrix = np.eye(rows.shape[1]) + np.linalg.solve(gram, rows.T @ (moves - moves.mean(0)))
    return matrix, centre + moves.mean(0) - centre @ matrix
