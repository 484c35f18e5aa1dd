"""`RanPACHead`: ridge regression on random features, its regularisation chosen on a held-out fifth that nobody keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Arrays, Floats, Labels
from ...numerics.class_statistics import ClassStatistics
from .analytic import AnalyticHead, LogitFunction
from .ridge import ridge_answer

GRID = (1.0, 10.0, 100.0, 1000.0)
"""Regularisations to choose from; features have a mean square of about one half."""


class RanPACHead(AnalyticHead):
    """A random projection, a rectifier and a ridge head (McDonnell et al. 2023, "RanPAC: Random Projections and Pre-trained Models for
    Continual Learning", equations 3 to 5, https://arxiv.org/abs/2307.02251).

    A fifth of the samples, chosen by a checksum of each vector, has moments of its own. The squared error of the other four
    fifths on it follows from those moments: the regularisation is chosen over all classes seen without keeping a sample, and
    unlearning undoes the choice as well. The head is then solved from all samples.
    """

    def __init__(self, *, features: int = 2000, regularisations: Sequence[float] = GRID, seed: int = 0) -> None:
        super().__init__()
        self.features, self.regularisations, self.seed = features, tuple(regularisations), seed
        self.regularisation: float | None = None

    def _begin(self, dimensions: int) -> None:
        self._projection = np.random.default_rng(self.seed).normal(size=(dimensions, self.features))
        self._held_out = ClassStatistics(self.features)
        super()._begin(dimensions)

    def _features(self, rows: NDArray[np.float32]) -> Floats:
        return np.asarray(np.maximum(rows.astype(np.float64) @ self._projection, 0))

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return np.union1d(self._moments.labels, self._held_out.labels) if self._moments else super().labels

    def _update(self, features: Floats, labels: Labels, *, forget: bool) -> None:
        rows = features.astype(np.float32)
        if labels.shape != (len(rows),):
            raise ValueError(f"{len(rows)} vectors and labels of the shape {labels.shape}; one label a vector is needed")
        # By what a vector is and not by a draw: the same sample falls on the same side when it is forgotten.
        held = np.array([crc32(row.tobytes()) % 5 == 0 for row in rows], dtype=bool)
        parts = ((self._known(), ~held), (self._held_out, held))
        if not forget:
            for moments, mask in parts:
                moments.learn(rows[mask], labels[mask])
            return
        short = [n for m, mask in parts for n, k in zip(*np.unique(labels[mask], return_counts=True), strict=True) if _count(m, n) < k]
        if short:
            raise ValueError(f"classes {sorted({int(n) for n in short})} never learned these samples; forget only what was learned")
        for moments, mask in parts:
            moments.forget(rows[mask], labels[mask])

    def _solve(self) -> LogitFunction:
        moments, held = self._known(), self._held_out
        labels = self.labels
        sums, held_sums = _aligned(moments, labels), _aligned(held, labels)
        self.regularisation = self._chosen(moments.gram, sums, held.gram, held_sums)
        return ridge_answer(moments.gram + held.gram, sums + held_sums, self.regularisation)

    def _chosen(self, gram: Floats, sums: Floats, held_gram: Floats, held_sums: Floats) -> float:
        """The regularisation of the least squared error on the held-out fifth; the middle one where a part is empty."""
        if len(self.regularisations) == 1 or not gram.any() or not held_gram.any():
            return self.regularisations[len(self.regularisations) // 2]
        return min(self.regularisations, key=lambda one: held_out_error(gram, sums, held_gram, held_sums, one))

    def state(self) -> dict[str, NDArray[Any]]:
        """The moments of both parts and the length of a vector."""
        held = self._held_out.state() if self._moments else {}
        return {**super().state(), **{f"held_out_{name}": array for name, array in held.items()}}

    def restore(self, state: Arrays) -> None:
        """Restore what `state` returned."""
        super().restore(state)
        if self._moments:
            self._held_out.restore({name.removeprefix("held_out_"): array for name, array in state.items() if name.startswith("held_out_")})


def held_out_error(gram: Floats, sums: Floats, held_gram: Floats, held_sums: Floats, regularisation: float) -> float:
    """Squared error to one-hot labels on held-out samples, less their number: `tr(W' H W) - 2 tr(W' T)`, from moments alone.

    `W = (G + r I)^-1 Q` comes from Gram `G` and class sums `Q'`; `H` and `T'` are those of the held-out samples.
    """
    from scipy.linalg import cho_factor, cho_solve

    weights = cho_solve(cho_factor(gram + regularisation * np.eye(len(gram)), check_finite=False), sums.T, check_finite=False)
    return float(np.sum(weights * (held_gram @ weights)) - 2 * np.sum(weights * held_sums.T))


def _aligned(moments: ClassStatistics, labels: Labels) -> Floats:
    sums = np.zeros((len(labels), moments.dimensions))
    sums[np.searchsorted(labels, moments.labels)] = moments.sums
    return sums


def _count(moments: ClassStatistics, label: int) -> float:
    places = np.flatnonzero(moments.labels == label)
    return float(moments.counts[places[0]]) if len(places) else 0.0
