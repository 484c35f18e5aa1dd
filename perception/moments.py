"""`ClassMoments`: counts, sums and second moments of classes, from which means and covariances follow exactly."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from .encoder import Vector
from .scorer import Labels, checked

FLOOR = 1e-6
"""Smallest variance that counts, as a share of the mean variance: below it a direction is rounding."""


class ClassMoments:
    """What all Gaussian scores are made of; learning and forgetting samples are exact updates in float64.

    Kept are, for each class, the number of its samples and their sum, and for all classes together `sum x x'`.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._rows: dict[int, int] = {}
        self._counts: NDArray[np.float64] = np.zeros(0)
        self._sums: NDArray[np.float64] = np.zeros((0, dimensions))
        self._second: NDArray[np.float64] = np.zeros((dimensions, dimensions))

    @classmethod
    def of(cls, vectors: Vector, labels: Labels) -> Self:
        """The moments of samples `(n, d)` with class numbers `(n,)`. Raises as `learn` does, and for no sample."""
        rows = checked("vectors", vectors)
        if not len(rows):
            raise ValueError("no vectors to learn from; at least one sample is needed")
        moments = cls(rows.shape[1])
        moments.learn(rows, labels)
        return moments

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class numbers, ascending: the order of `means`."""
        return np.array(sorted(self._rows), dtype=np.int64)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Samples of each class `(classes,)`, in the order of `labels`."""
        return self._counts[self._order()]

    @property
    def means(self) -> NDArray[np.float64]:
        """Class means `(classes, d)`."""
        order = self._order()
        return self._sums[order] / self._counts[order, None]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of all samples `(d,)`."""
        return np.asarray(self._sums.sum(0) / self._counts.sum())

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples. Raises `ValueError` for NaN or infinite values and for shapes that do not fit."""
        self._update(vectors, labels, 1.0)

    def forget(self, vectors: Vector, labels: Labels) -> None:
        """Take back samples that were learned; a class whose last sample goes is gone.

        Raises `ValueError` where a class has fewer samples than are to be forgotten; nothing has changed then.
        """
        numbers, counts = np.unique(np.asarray(labels, dtype=np.int64), return_counts=True)
        short = [int(n) for n, count in zip(numbers, counts, strict=True) if n not in self._rows or self._counts[self._rows[n]] < count]
        if short:
            raise ValueError(f"classes {short} have fewer samples than are to be forgotten; forget only what was learned")
        self._update(vectors, labels, -1.0)
        for label in [label for label, row in self._rows.items() if self._counts[row] == 0]:
            del self._rows[label]
        self._compact()

    def forget_class(self, label: int) -> None:
        """Take back a whole class whose samples are no longer at hand: its mean goes, and with it its share of the covariances.

        What its samples added to `sum x x'` around their mean cannot be told apart from the others' and is taken at the average
        of all classes, so the shared covariance stays as it is. Raises `ValueError` for an unknown class.
        """
        if label not in self._rows:
            raise ValueError(f"class {label} is not known; forget only what was learned")
        row, within = self._rows.pop(label), self.within()
        count, total = self._counts[row], self._sums[row]
        self._second = self._second - np.outer(total, total) / count - count * within
        self._compact()

    def within(self) -> NDArray[np.float64]:
        """Covariance around the class means, `(d, d)`, the same for all classes (maximum likelihood: divided by n)."""
        scaled = self._sums / np.sqrt(self._counts)[:, None]
        return np.asarray((self._second - scaled.T @ scaled) / self._counts.sum())

    def total(self) -> NDArray[np.float64]:
        """Covariance around the mean of all samples, `(d, d)`."""
        return np.asarray(self._second / self._counts.sum() - np.outer(self.mean, self.mean))

    def _order(self) -> list[int]:
        return [self._rows[label] for label in sorted(self._rows)]

    def _update(self, vectors: Vector, labels: Labels, sign: float) -> None:
        rows = checked("vectors", vectors, self.dimensions).astype(np.float64)
        labels = np.asarray(labels, dtype=np.int64)
        if labels.shape != (len(rows),):
            raise ValueError(f"{len(rows)} vectors and labels of the shape {labels.shape}; one label a vector is needed")
        for label in np.unique(labels):
            self._rows.setdefault(int(label), len(self._rows))
        grown = len(self._rows) - len(self._counts)
        self._counts = np.pad(self._counts, (0, grown))
        self._sums = np.pad(self._sums, ((0, grown), (0, 0)))
        places = np.array([self._rows[int(label)] for label in labels], dtype=np.int64)
        np.add.at(self._counts, places, sign)
        np.add.at(self._sums, places, sign * rows)
        self._second = self._second + sign * (rows.T @ rows)

    def _compact(self) -> None:
        order = self._order()
        self._counts, self._sums = self._counts[order], self._sums[order]
        self._rows = {label: place for place, label in enumerate(sorted(self._rows))}


def whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """`W` `(d, d)` with `W W'` the inverse of a covariance, its variances raised to the floor where they are below it.

    So a singular covariance has a defined answer: a direction without variance is as strange as rounding allows. Where
    there is no variance at all (one sample), `W` is the identity.
    """
    variances, directions = np.linalg.eigh((covariance + covariance.T) / 2)
    mean = variances.mean()
    if mean <= np.finfo(np.float64).eps:
        return np.eye(len(covariance))
    return np.asarray(directions / np.sqrt(np.maximum(variances, FLOOR * mean)))


def squared_distances(rows: NDArray[np.float32], inverse_root: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared distance `(n, classes)` of every row `(n, d)`, once whitened, to every whitened centre `(classes, d)`."""
    whitened = rows @ inverse_root
    lengths = np.einsum("nd,nd->n", whitened, whitened)[:, None]
    return np.asarray(np.maximum(lengths - 2 * (whitened @ centres.T) + np.einsum("cd,cd->c", centres, centres), 0), dtype=np.float32)
