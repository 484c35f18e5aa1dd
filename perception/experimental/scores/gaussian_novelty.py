"""Novelty against class means and class Gaussians; all three learn and forget samples by exact updates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Logits, Scores, Vector, batched, l2_normalize, validate_rows
from ....numerics.class_statistics import ClassStatistics, squared_distances, whitening


class _MomentsNovelty(ABC):
    """A novelty that follows from class moments alone."""

    def __init__(self) -> None:
        self._moments: ClassStatistics | None = None
        self._ready = False

    def fit(self, vectors: Vector, logits: Logits, labels: Labels) -> Self:
        """Begin anew from samples `(n, d)`; logits are not read."""
        self._moments, self._ready = ClassStatistics.from_samples(vectors, labels), False
        return self

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples, of classes old or new, as if they had been there from the start."""
        if self._moments is None:
            self._moments = ClassStatistics(vectors.shape[1])
        self._moments.learn(vectors, labels)
        self._ready = False

    def forget(self, vectors: Vector, labels: Labels) -> None:
        """Take back samples as if they had never been there (up to float64 rounding). Raises `ValueError` for unknown ones."""
        self._known().forget(vectors, labels)
        self._ready = False

    def score(self, vectors: Vector, logits: Logits) -> Scores:
        """Novelty `(n,)`, float32; logits are not read."""
        moments = self._known()
        if not self._ready:
            self._prepare(moments)
            self._ready = True
        return batched(self._novelty, validate_rows("vectors", vectors, moments.dimensions))

    def _known(self) -> ClassStatistics:
        if self._moments is None or not len(self._moments.labels):
            raise ValueError(f"{type(self).__name__} knows no class yet; call `fit` first")
        return self._moments

    @abstractmethod
    def _prepare(self, moments: ClassStatistics) -> None:
        """Derive from the moments what scoring needs."""

    @abstractmethod
    def _novelty(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Novelty of checked rows."""


class ClassMeanNovelty(_MomentsNovelty):
    """One minus the cosine to the nearest class mean, in [0, 2]; a baseline that needs no paper."""

    def _prepare(self, moments: ClassStatistics) -> None:
        self._directions = l2_normalize(moments.means).astype(np.float32)

    def _novelty(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        return np.asarray(1 - (rows @ self._directions.T).max(1) / np.maximum(lengths, 1e-12))


class MahalanobisNovelty(_MomentsNovelty):
    """Squared Mahalanobis distance to the nearest class mean under the covariance that all classes share.

    Lee et al. 2018, "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
    https://arxiv.org/abs/1807.03888.
    """

    def _prepare(self, moments: ClassStatistics) -> None:
        inverse_root = whitening(moments.within())
        self._mean = moments.mean.astype(np.float32)
        self._whitening = inverse_root.astype(np.float32)
        self._centres = ((moments.means - moments.mean) @ inverse_root).astype(np.float32)

    def _novelty(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(squared_distances(rows - self._mean, self._whitening, self._centres).min(1))


class RelativeMahalanobisNovelty(MahalanobisNovelty):
    """The Mahalanobis distance to the nearest class less that to one Gaussian over all samples.

    Ren et al. 2021, "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection", equation 2, https://arxiv.org/abs/2106.09022.
    """

    def _prepare(self, moments: ClassStatistics) -> None:
        super()._prepare(moments)
        self._background = whitening(moments.total()).astype(np.float32)

    def _novelty(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        # Far from everything both distances grow alike; what is left says whether a class explains the row better.
        whitened = (rows - self._mean) @ self._background
        return np.asarray(super()._novelty(rows) - np.einsum("nd,nd->n", whitened, whitened))
