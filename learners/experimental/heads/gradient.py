"""`GradientHead`: what the heads share that are one weight vector a class, fitted by gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Arrays, Labels, Vector, validate_rows
from ...heads.head import HeadLogits, predicted


class GradientHead(ABC):
    """Keeps known classes and named arrays; a member says how it learns checked samples and how its arrays answer."""

    def __init__(self, *, epochs: int, seed: int) -> None:
        self.epochs, self.seed = epochs, seed
        self._labels: Labels = np.zeros(0, dtype=np.int64)
        self._arrays: dict[str, NDArray[Any]] = {}

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self._labels.copy()

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples `(n, d)` of classes old or new."""
        rows, labels = validate_rows("vectors", vectors, self._dimensions), np.asarray(labels, dtype=np.int64)
        if labels.shape != (len(rows),):
            raise ValueError(f"{len(rows)} vectors and labels of the shape {labels.shape}; one label a vector is needed")
        if len(rows):
            self._fit(rows, labels)

    def logits(self, vectors: Vector) -> HeadLogits:
        """Scores `(n, classes)`, larger is likelier."""
        if not len(self._labels):
            raise ValueError(f"{type(self).__name__} knows no class yet; call `learn` first")
        return np.asarray(self._scores(validate_rows("vectors", vectors, self._dimensions)), dtype=np.float64)

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class number `(n,)`."""
        return predicted(self._labels, self.logits(vectors))

    def state(self) -> dict[str, NDArray[Any]]:
        """Class numbers and arrays."""
        return {"labels": self.labels, **{name: array.copy() for name, array in self._arrays.items()}}

    def restore(self, state: Arrays) -> None:
        """Restore what `state` returned."""
        self._labels = np.array(state["labels"], dtype=np.int64)
        self._arrays = {name: np.array(array) for name, array in state.items() if name != "labels"}

    @property
    def _dimensions(self) -> int | None:
        return self._arrays["weights"].shape[-1] if self._arrays else None

    def _admit(self, labels: Labels, **fresh: NDArray[Any]) -> NDArray[np.bool_]:
        """Make room for new classes in the named arrays, filled with the given rows `(new, ...)`; which of all classes are new."""
        new = np.setdiff1d(labels, self._labels)
        known = np.concatenate([self._labels, new])
        order = np.argsort(known)
        for name, rows in fresh.items():
            old = self._arrays.get(name, rows[:0])
            self._arrays[name] = np.concatenate([old, rows])[order]
        self._labels = known[order]
        return np.isin(self._labels, new)

    @abstractmethod
    def _fit(self, rows: Vector, labels: Labels) -> None:
        """Learn checked samples."""

    @abstractmethod
    def _scores(self, rows: Vector) -> NDArray[np.floating]:
        """Scores of checked rows."""
