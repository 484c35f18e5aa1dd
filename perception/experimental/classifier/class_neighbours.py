"""`ClassNeighbours`: how near the nearest known samples are, class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector, l2_normalize, validate_rows

CHUNK = 1024
"""Rows compared at once: the cosines of 1 024 rows to 15 000 samples take 60 MB."""


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """Cosines of samples to the known ones; float32."""

    nearest: NDArray[np.float32]
    """To the nearest sample of each class `(n, classes)`, in the order of `ClassNeighbours.classes`."""
    ranked: NDArray[np.float32]
    """To the `depth` nearest samples of all `(n, depth)`, falling; the last one again where there are fewer."""
    own: NDArray[np.float32]
    """Mean over the `few` nearest samples of the class named for the sample `(n,)`, or over all where it has fewer."""


class ClassNeighbours:
    """A labelled bank of vectors `(n, d)`, compared by cosine. Exact, with no index to keep when the bank changes.

    Raises `ValueError` for no sample, lengths that differ, NaN and infinite values.
    """

    def __init__(self, vectors: Vector, labels: Labels, *, depth: int = 20, few: int = 5) -> None:
        rows, labels = validate_rows("vectors", vectors), np.asarray(labels, dtype=np.int64)
        if not len(rows) == len(labels) > 0 or depth < 1 or few < 1:
            raise ValueError(
                f"{len(rows)} vectors, {len(labels)} labels, depth {depth}, few {few}; a label a vector and one of each are needed"
            )
        order = np.argsort(labels, kind="stable")  # the samples of a class lie together, so that `reduceat` finds its nearest
        self._bank = l2_normalize(rows[order]).astype(np.float32)
        self.classes, self._starts = np.unique(labels[order], return_index=True)
        self._ends = np.append(self._starts[1:], len(rows))
        self._depth = depth
        self._few = few

    def around(self, vectors: Vector, named: Labels) -> Neighbourhood:
        """The neighbourhood of vectors `(n, d)`, for each of which a known class is `named` `(n,)`.

        Raises `ValueError` for NaN or infinite values and for a class that is not known.
        """
        rows = l2_normalize(validate_rows("vectors", vectors, self._bank.shape[1])).astype(np.float32)
        if len(named) != len(rows) or not np.isin(named, self.classes).all():
            raise ValueError(f"{len(rows)} vectors and {len(named)} classes named for them; one known class a vector is needed")
        places = np.searchsorted(self.classes, named)
        parts = [self._around(rows[start : start + CHUNK], places[start : start + CHUNK]) for start in range(0, max(1, len(rows)), CHUNK)]
        nearest, ranked, own = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Neighbourhood(nearest=nearest, ranked=ranked, own=own)

    def _around(self, rows: NDArray[np.float32], places: NDArray[np.intp]) -> tuple[NDArray[np.float32], ...]:
        cosines = rows @ self._bank.T
        ranked = _largest(cosines, self._depth)
        ranked = np.pad(ranked, ((0, 0), (0, self._depth - ranked.shape[1])), mode="edge")
        own = np.zeros(len(rows), dtype=np.float32)
        for place in np.unique(places):
            same = places == place
            own[same] = _largest(cosines[same, self._starts[place] : self._ends[place]], self._few).mean(1)
        return np.maximum.reduceat(cosines, self._starts, axis=1), ranked, own


def _largest(rows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The `count` largest of each row, falling; all of them where there are fewer."""
    count = min(count, rows.shape[1])
    return np.asarray(-np.sort(np.partition(-rows, count - 1, axis=1)[:, :count], axis=1))
