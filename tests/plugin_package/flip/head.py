"""A head that keeps a sum and a count of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ClassMeanHead:
    """The class whose mean lies nearest, by Euclidean distance."""

    def __init__(self) -> None:
        self._sums: dict[int, NDArray[np.float64]] = {}
        self._counts: dict[int, int] = {}

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array(sorted(self._sums), dtype=np.int64)

    def _refuse(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise ValueError("vectors must be finite rows")
        if any(vectors.shape[1] != len(total) for total in self._sums.values()):
            raise ValueError("vectors must be as long as those before")

    def learn(self, vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        self._refuse(vectors)
        if labels.shape != (len(vectors),):
            raise ValueError("labels must be as many as vectors")
        for label in map(int, np.unique(labels)):
            own = vectors[labels == label].astype(np.float64)
            self._sums[label] = self._sums.get(label, 0.0) + own.sum(0)
            self._counts[label] = self._counts.get(label, 0) + len(own)

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        self._refuse(vectors)
        if not self._sums:
            raise ValueError("nothing was learned yet")
        means = np.stack([self._sums[label] / self._counts[label] for label in sorted(self._sums)])
        return -np.linalg.norm(vectors.astype(np.float64)[:, None] - means, axis=2)

    def predict(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        return self.labels[self.logits(vectors).argmax(1)]

    def state(self) -> dict[str, NDArray[Any]]:
        known = sorted(self._sums)
        return {
            "labels": self.labels,
            "sums": np.array([self._sums[label] for label in known]),
            "counts": np.array([self._counts[label] for label in known]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        labels = [int(label) for label in state["labels"]]
        self._sums = dict(zip(labels, np.array(state["sums"], dtype=np.float64), strict=True))
        self._counts = dict(zip(labels, map(int, state["counts"]), strict=True))
