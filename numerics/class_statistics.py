"""`ClassStatistics`: counts, sums and second moments of classes, from which means and covariances follow exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .arrays import Labels, Vector, validate_rows

FLOOR = 1e-6
"""Smallest variance that counts, as a share of the mean variance: below it a direction is rounding."""


class ClassStatistics:
    """What all Gaussian scores and analytic heads are made of; learning and forgetting samples are exact updates in float64.

    Kept are, for each class, the number of its samples and their sum, and for all classes together `sum x x'` and
    `sum_c s_c s_c' / n_c`. An update touches only the classes it names, so its cost does not grow with the others.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._rows: dict[int, int] = {}
        # Room for more classes than there are; it doubles when it is full.
        self._counts: NDArray[np.float64] = np.zeros(4)
        self._sums: NDArray[np.float64] = np.zeros((4, dimensions))
        self._gram: NDArray[np.float64] = np.zeros((dimensions, dimensions))
        self._between_scatter: NDArray[np.float64] = np.zeros((dimensions, dimensions))

    @classmethod
    def from_samples(cls, vectors: Vector, labels: Labels) -> Self:
        """The moments of samples `(n, d)` with class numbers `(n,)`. Raises as `learn` does, and for no sample."""
        rows = validate_rows("vectors", vectors)
        if not len(rows):
            raise ValueError("no vectors to learn from; at least one sample is needed")
        moments = cls(rows.shape[1])
        moments.learn(rows, labels)
        return moments

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class numbers, ascending: the order of `counts`, `sums` and `means`."""
        return np.array(sorted(self._rows), dtype=np.int64)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Samples of each class `(classes,)`; not to be written to."""
        return self._ordered(self._counts)

    @property
    def sums(self) -> NDArray[np.float64]:
        """Sums of each class's samples `(classes, d)`; not to be written to, and true until samples are learned or forgotten."""
        return self._ordered(self._sums)

    @property
    def gram(self) -> NDArray[np.float64]:
        """`sum x x'` over all samples, `(d, d)`; a copy."""
        return self._gram.copy()

    @property
    def square(self) -> float:
        """Sum of the squares of all entries of all samples: the trace of `gram`."""
        return float(np.trace(self._gram))

    @property
    def means(self) -> NDArray[np.float64]:
        """Class means `(classes, d)`."""
        return self.sums / self.counts[:, None]

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
        gone = [label for label, row in self._rows.items() if self._counts[row] == 0]
        if gone:
            left = [label for label in sorted(self._rows) if label not in gone]
            self.restore({**self.state(), "labels": np.array(left, dtype=np.int64), **self._of(left)})

    def forget_class(self, label: int) -> None:
        """Take back a whole class whose samples are no longer at hand: its mean goes, and with it its share of the covariances.

        What its samples added to `sum x x'` around their mean cannot be distinguished from the others' and is taken at the average
        of all classes, so the shared covariance stays as it is. Raises `ValueError` for an unknown class.
        """
        if label not in self._rows:
            raise ValueError(f"class {label} is not known; forget only what was learned")
        row, within = self._rows[label], self.within()
        count, mean_part = self._counts[row], np.outer(self._sums[row], self._sums[row]) / self._counts[row]
        self._gram, self._between_scatter = self._gram - mean_part - count * within, self._between_scatter - mean_part
        # `restore` renumbers the rows, so that no zero row of a forgotten class is left behind.
        left = [other for other in sorted(self._rows) if other != label]
        self.restore({**self.state(), "labels": np.array(left, dtype=np.int64), **self._of(left)})

    def within(self) -> NDArray[np.float64]:
        """Covariance around the class means, `(d, d)`, the same for all classes (maximum likelihood: divided by n)."""
        return np.asarray((self._gram - self._between_scatter) / self._counts.sum())

    def total(self) -> NDArray[np.float64]:
        """Covariance around the mean of all samples, `(d, d)`."""
        return np.asarray(self._gram / self._counts.sum() - np.outer(self.mean, self.mean))

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is kept, as plain arrays."""
        kept: dict[str, NDArray[Any]] = {"labels": self.labels, "counts": self.counts.copy(), "sums": self.sums.copy()}
        return {**kept, "gram": self.gram, "between_scatter": self._between_scatter.copy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore what `state` returned. Raises `ValueError` where it has other dimensions."""
        if state["gram"].shape != (self.dimensions, self.dimensions):
            raise ValueError(f"the state has {state['gram'].shape[0]} dimensions, these moments {self.dimensions}; make them alike")
        self._rows = {int(label): place for place, label in enumerate(state["labels"])}
        self._counts, self._sums = np.array(state["counts"]), np.array(state["sums"])
        # Nothing known is nothing kept, not the rounding of what was.
        share = float(bool(self._rows))
        self._gram, self._between_scatter = share * np.array(state["gram"]), share * np.array(state["between_scatter"])

    def _ordered(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows in the order of `labels`; no copy is made where classes came in that order."""
        order = np.array([self._rows[label] for label in sorted(self._rows)], dtype=np.int64)
        return rows[: len(order)] if np.array_equal(order, np.arange(len(order))) else rows[order]

    def _of(self, labels: list[int]) -> dict[str, NDArray[np.float64]]:
        places = [self._rows[label] for label in labels]
        return {"counts": self._counts[places], "sums": self._sums[places]}

    def _update(self, vectors: Vector, labels: Labels, sign: float) -> None:
        rows = validate_rows("vectors", vectors, self.dimensions).astype(np.float64)
        labels = np.asarray(labels, dtype=np.int64)
        if labels.shape != (len(rows),):
            raise ValueError(f"{len(rows)} vectors and labels of the shape {labels.shape}; one label a vector is needed")
        if not len(rows):
            return
        numbers, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
        for label in numbers:
            self._rows.setdefault(int(label), len(self._rows))
        if len(self._rows) > len(self._counts):
            # Doubling: adding classes one at a time copies each row a bounded number of times.
            more = 2 * len(self._rows) - len(self._counts)
            self._counts, self._sums = np.pad(self._counts, (0, more)), np.pad(self._sums, ((0, more), (0, 0)))
        places = np.array([self._rows[int(label)] for label in numbers], dtype=np.int64)
        # Samples are sorted by class, so that one `reduceat` sums each class's rows without a loop over classes.
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        # sum_c s_c s_c' / n_c changes only by the classes that are touched: their old share goes, their new one comes.
        before = self._scaled(places)
        self._counts[places] += sign * counts
        self._sums[places] += sign * np.add.reduceat(rows[np.argsort(inverse, kind="stable")], starts)
        after = self._scaled(places)
        # One product of both shares: what takes time here is to read and write (d, d) numbers.
        self._between_scatter += np.vstack([after, before]).T @ np.vstack([after, -before])
        self._gram += (sign * rows).T @ rows

    def _scaled(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sums over the root of the counts; rows of zeros for classes without samples."""
        return np.asarray(self._sums[places] * (self._counts[places] > 0)[:, None] / np.sqrt(np.maximum(self._counts[places], 1))[:, None])


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
