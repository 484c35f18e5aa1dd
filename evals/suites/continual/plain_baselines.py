"""Plain baselines that a sceptic asks for first: logistic regression on all samples, and k-means that starts from the labelled ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....learners import UNLABELLED
from ....numerics.arrays import Labels, Vector, l2_normalize
from ...data.logistic import chosen_logistic

STEPS = 30
"""Of k-means, at most."""


class LogisticHead:
    """Multinomial logistic regression on all samples so far, kept in float16; C is chosen on a held-out fifth of them, then refitted.

    Fitted at the first answer after something was learned, so that a stream which is only tested at its end costs one fit.
    """

    def __init__(self) -> None:
        self._rows: list[NDArray[np.float16]] = []
        self._labels: list[Labels] = []
        self._model: Any = None
        self.strength = 0.0

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return np.unique(np.concatenate(self._labels)) if self._labels else np.zeros(0, dtype=np.int64)

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Keep samples `(n, d)`."""
        self._rows.append(vectors.astype(np.float16))
        self._labels.append(labels)
        self._model = None

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class numbers `(n,)`."""
        if self._model is None:
            self._model, self.strength = chosen_logistic(np.concatenate(self._rows).astype(np.float32), np.concatenate(self._labels))
        return np.asarray(self._model.predict(vectors), dtype=np.int64)

    def state(self) -> dict[str, NDArray[Any]]:
        """The samples; the weights follow from them."""
        return {"kept": np.concatenate(self._rows), "kept_labels": np.concatenate(self._labels)}


class SeededKMeans:
    """Spherical k-means of each group of classes, its centres started at the labelled samples, which stay with their class.

    "Constrained-KMeans" of Basu, Banerjee and Mooney, Semi-supervised clustering by seeding, ICML 2002,
    https://dl.acm.org/doi/10.5555/645531.656012. It is told which classes are new in a group by their labelled samples, as Semi-IPC
    is, and like it keeps one centre a class.
    """

    def __init__(self) -> None:
        self._centres: dict[int, NDArray[np.float64]] = {}

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return np.array(sorted(self._centres), dtype=np.int64)

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Centres of the classes that have a label among samples `(n, d)`; the others are labelled `UNLABELLED`."""
        named = np.unique(labels[labels != UNLABELLED])
        rows = l2_normalize(vectors.astype(np.float64))
        own = np.searchsorted(named, labels)
        centres = l2_normalize(np.array([rows[labels == label].mean(0) for label in named]))
        before: NDArray[np.int64] | None = None
        for _ in range(STEPS):
            places = np.where(labels == UNLABELLED, (rows @ centres.T).argmax(1), own)
            if before is not None and np.array_equal(places, before):
                break
            before = places
            centres = l2_normalize(np.array([rows[places == place].mean(0) for place in range(len(named))]))
        self._centres |= {int(label): centre for label, centre in zip(named, centres, strict=True)}

    def predict(self, vectors: Vector) -> Labels:
        """The class numbers `(n,)` of the nearest centres."""
        centres = np.array([self._centres[int(label)] for label in self.labels])
        return np.asarray(self.labels[(vectors.astype(np.float64) @ centres.T).argmax(1)])

    def state(self) -> dict[str, NDArray[Any]]:
        """The centres."""
        return {"centres": np.array([self._centres[int(label)] for label in self.labels])}
