"""The interface of category discovery: `Discoverer`, and what it finds, a `Discovery`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Labels, Vector, l2_normalize, validate_rows
from ..scores.projection import Projection

TEMPERATURE = 0.1
"""Divides cosines before the softmax (Ma et al. 2025, "ProtoGCD", https://arxiv.org/abs/2504.03755)."""


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """The classes of unlabelled vectors, old and new; class `c` is row `c` of the prototypes and column `c` of the probabilities."""

    labels: Labels
    """Class of every unlabelled row `(n,)`: `0 .. known - 1` are the known classes, `known .. count - 1` new ones."""
    probabilities: NDArray[np.float32]
    """Of every class `(n, count)`; the label is the largest."""
    prototypes: Vector
    """Unit rows `(count, d)`: mean directions of the classes among the vectors as they came."""
    known: int
    """Classes known before."""
    count: int
    """Classes in all."""
    projection: Projection | None = None
    """Through which further vectors are compared with the classes; `None`: as they are, with the prototypes."""

    def cosines(self, vectors: Vector) -> NDArray[np.float32]:
        """Of further vectors `(m, d)` to the classes `(m, count)`. Raises `ValueError` as `validate_rows` does."""
        rows = validate_rows("vectors", vectors, self.prototypes.shape[1])
        if self.projection is None:
            return np.asarray(l2_normalize(rows) @ self.prototypes.T, dtype=np.float32)
        return np.asarray(self.projection.transform(l2_normalize(rows)) @ self.projection.centres.T, dtype=np.float32)

    def place(self, vectors: Vector) -> Labels:
        """Classes `(m,)` of further vectors `(m, d)`: the nearest ones. Raises `ValueError` as `validate_rows` does."""
        return np.asarray(self.cosines(vectors).argmax(1), dtype=np.int64)

    def novelty(self, vectors: Vector) -> NDArray[np.float32]:
        """How strange further vectors `(m, d)` are to all these classes, in [0, 2]: one minus the cosine to the nearest one."""
        return np.asarray(np.clip(1 - self.cosines(vectors).max(1), 0, 2), dtype=np.float32)


@runtime_checkable
class Discoverer(Protocol):
    """Sorts unlabelled vectors into known and new classes. The rules are in `lifelong.checks.discoverer`."""

    def discover(self, vectors: Vector, known_vectors: Vector, known_labels: Labels, count: int | None = None) -> Discovery:
        """Classes of unlabelled `vectors` `(n, d)`, given `known_vectors` `(m, d)` and their classes `(m,)`, `0 .. known - 1`.

        `m` may be 0: nothing is known. `count` is the number of classes in all, old and new; where it is `None` it is estimated.
        Raises `ValueError` for NaN or infinite values, for shapes that do not fit, for a known class without a row, for fewer
        classes than are known, for more new ones than there are unlabelled rows, and where there is neither a vector nor a class.
        """


@dataclass(frozen=True, kw_only=True)
class DiscoveryInput:
    """Validated input of a discoverer, its rows of length one."""

    vectors: Vector
    """Unlabelled unit rows `(n, d)`."""
    known_vectors: Vector
    """Labelled unit rows `(m, d)`."""
    known_labels: Labels
    """Their classes `(m,)`."""
    known: int
    """Known classes."""

    @property
    def everything(self) -> Vector:
        """Unlabelled rows, then labelled ones, `(n + m, d)`."""
        return np.vstack([self.vectors, self.known_vectors])


def validate_input(vectors: Vector, known_vectors: Vector, known_labels: Labels, count: int | None) -> DiscoveryInput:
    """The input of `Discoverer.discover`, checked. Raises as it says there."""
    rows = validate_rows("vectors", vectors)
    known_rows = validate_rows("known_vectors", known_vectors, rows.shape[1])
    labels = np.asarray(known_labels)
    if labels.shape != (len(known_rows),):
        raise ValueError(f"{len(known_rows)} known vectors and labels of the shape {labels.shape}; one label a vector is needed")
    labels = labels.astype(np.int64)
    present = np.unique(labels)
    if not np.array_equal(present, np.arange(len(present))):
        missing = sorted(set(range(int(present.max()) + 1)) - set(present.tolist()))
        wrong = f"no row has the labels {missing}" if present.min() >= 0 else f"a label is {present.min()}"
        raise ValueError(f"known classes must be numbered 0, 1, ... without a gap, and {wrong}; number the classes that have rows")
    known = len(present)
    if count is not None:
        _check_count(count, known, len(rows))
    if not len(rows) + len(known_rows):
        raise ValueError("no vectors at all; at least one unlabelled or one known vector is needed")
    return DiscoveryInput(
        vectors=l2_normalize(rows).astype(np.float32),
        known_vectors=l2_normalize(known_rows).astype(np.float32),
        known_labels=labels,
        known=known,
    )


def _check_count(count: int, known: int, rows: int) -> None:
    if count < max(known, 1):
        raise ValueError(f"count is {count} with {known} known classes; it counts old and new classes and must be at least {max(known, 1)}")
    if count - known > rows:
        raise ValueError(f"{count - known} new classes are asked of {rows} unlabelled vectors; ask for at most one class a vector")


def nearest_prototypes(rows: Vector, prototypes: Vector, known: int) -> Discovery:
    """What prototypes `(count, d)` say of unit rows `(n, d)`: the softmax of their cosines over `TEMPERATURE`."""
    cosines = rows @ prototypes.T
    weights = np.exp((cosines - cosines.max(1, keepdims=True)) / TEMPERATURE)
    return Discovery(
        labels=np.asarray(cosines.argmax(1), dtype=np.int64),
        probabilities=np.asarray(weights / weights.sum(1, keepdims=True), dtype=np.float32),
        prototypes=np.asarray(prototypes, dtype=np.float32),
        known=known,
        count=len(prototypes),
    )
