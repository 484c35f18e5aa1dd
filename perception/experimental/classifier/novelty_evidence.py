"""`NoveltyEvidence`: everything that suggests that a sample is out of scope, a column each, to be fused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector, l2_normalize, validate_rows
from ....numerics.class_statistics import ClassStatistics, whitening
from ...selective.fusion import Columns
from ..scores.gaussian_novelty import ClassMeanNovelty, RelativeMahalanobisNovelty
from .class_neighbours import ClassNeighbours, Neighbourhood
from .head_ensemble import HeadOutputs

SHARPNESS = 20.0
"""Inverse temperature at which cosines to the classes' nearest samples become shares."""
RANKS = (1, 3, 10, 20)
"""Which nearest neighbours' distances are columns."""
NO_LOGITS = np.zeros((0, 0), dtype=np.float32)


class NoveltyEvidence:
    """Known samples, and what they and the heads say of others; every column is larger where that is stranger.

    `widths` cuts a vector into blocks, each the answer of one encoder; the first block is the one that the heads read. Every
    block gives its neighbours, class means and Gaussians, and the first block its neighbours once more where the covariance
    within classes is the identity: directions in which classes vary anyway then count little. Samples are learned and
    forgotten exactly, in the bank and in the moments.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        if not widths or min(widths) < 1:
            raise ValueError(f"widths are {tuple(widths)}; at least one block of one column is needed")
        self.widths = tuple(widths)
        self._rows: Vector = np.zeros((0, sum(widths)), dtype=np.float32)
        self._labels: Labels = np.zeros(0, dtype=np.int64)
        self._moments = ClassStatistics(widths[0])
        self._gaussians = [(ClassMeanNovelty(), RelativeMahalanobisNovelty()) for _ in widths]
        self._spaces: list[ClassNeighbours] = []

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return np.unique(self._labels)

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples `(n, sum of widths)` of classes old or new. Raises `ValueError` for NaN, infinite values and other shapes."""
        rows, labels = self._unit(vectors), np.asarray(labels, dtype=np.int64)
        self._moments.learn(rows[:, : self.widths[0]], labels)
        for block, pair in zip(self._blocks(rows), self._gaussians, strict=True):
            for scorer in pair:
                scorer.learn(block, labels)
        self._rows, self._labels = np.vstack([self._rows, rows]), np.concatenate([self._labels, labels])
        self._spaces = []

    def forget(self, labels: Labels) -> None:
        """Take back every sample of these classes, as if it had never been there. Raises `ValueError` for a class not known."""
        strange = np.setdiff1d(labels, self.labels)
        if len(strange):
            raise ValueError(f"classes {strange.tolist()} are not known; forget only what was learned")
        gone = np.isin(self._labels, labels)
        rows, numbers = self._rows[gone], self._labels[gone]
        self._moments.forget(rows[:, : self.widths[0]], numbers)
        for block, pair in zip(self._blocks(rows), self._gaussians, strict=True):
            for scorer in pair:
                scorer.forget(block, numbers)
        self._rows, self._labels = self._rows[~gone], self._labels[~gone]
        self._spaces = []

    def nearest_class(self, vectors: Vector) -> Labels:
        """The class of the nearest known sample in the first block `(n,)`. Raises `ValueError` where none is known."""
        rows = self._blocks(self._unit(vectors))[0]
        bank = self._prepared()[0]
        around = bank.around(rows, np.full(len(rows), bank.classes[0]))
        return np.asarray(bank.classes[around.nearest.argmax(1)])

    def columns(self, vectors: Vector, outputs: HeadOutputs, named: Labels) -> Columns:
        """Scores `(n, m)` of vectors, of which the heads said `outputs`, and for which a known class is `named` each."""
        rows = self._unit(vectors)
        blocks = self._blocks(rows)
        spaces = self._prepared()
        columns = head_columns(outputs)
        for bank, block in zip(spaces, [*blocks, blocks[0] @ self._whitening], strict=True):
            columns += neighbour_columns(bank.around(block, named), np.searchsorted(bank.classes, named))
        for block, pair in zip(blocks, self._gaussians, strict=True):
            columns += [scorer.score(block, NO_LOGITS) for scorer in pair]
        return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)

    def _prepared(self) -> list[ClassNeighbours]:
        """A bank for each block, and one for the first block whitened."""
        if not len(self._labels):
            raise ValueError("no sample is known yet; call `learn` first")
        if not self._spaces:
            self._whitening = whitening(self._moments.within()).astype(np.float32)
            blocks = self._blocks(self._rows)
            self._spaces = [ClassNeighbours(block, self._labels, depth=RANKS[-1]) for block in [*blocks, blocks[0] @ self._whitening]]
        return self._spaces

    def _unit(self, vectors: Vector) -> Vector:
        rows = validate_rows("vectors", vectors, sum(self.widths))
        return np.hstack([l2_normalize(block) for block in self._blocks(rows)]).astype(np.float32)

    def _blocks(self, rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        return np.split(rows, np.cumsum(self.widths)[:-1], axis=1)


HEAD_COLUMNS = 5
"""How many columns come from the heads; they come first."""


def head_columns(outputs: HeadOutputs) -> list[NDArray[np.floating]]:
    """Doubt of the largest probability, entropy, negative energy, log odds of an outlier, doubt beside the extra class."""
    chances = outputs.probabilities
    entropy = -(chances * np.log(np.maximum(chances, 1e-12))).sum(1)
    return [1 - chances.max(1), entropy, -outputs.energy, outputs.outlier, 1 - outputs.inlier]


def neighbour_columns(around: Neighbourhood, places: NDArray[np.intp]) -> list[NDArray[np.floating]]:
    """Distances to near samples and to those of the named class, and how much the classes nearby are at odds."""
    rows = np.arange(len(places))
    best = -np.sort(-around.nearest, axis=1)[:, :2]
    rival = best[:, 1] if best.shape[1] > 1 else np.full(len(rows), -1, dtype=np.float32)
    # Relative to the best class, so that the exponential cannot overflow; the shares are the same.
    shares = np.exp(SHARPNESS * (around.nearest - best[:, :1]))
    shares /= shares.sum(1, keepdims=True)
    own = around.nearest[rows, places]
    disorder = -(shares * np.log(np.maximum(shares, 1e-12))).sum(1)
    near = [1 - around.ranked[:, rank - 1] for rank in RANKS]
    return [*near, 1 - own, 1 - around.own, rival - best[:, 0], 1 - shares[rows, places], disorder]
