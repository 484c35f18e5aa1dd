"""`Partition`: the vectors of one tenant in FAISS, exact while they are few, in the cells of an inverted file when they are many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import isqrt
from typing import Any

import numpy as np

from ...numerics.arrays import Scores, Vector
from ..sqlite.changes import START, Numbers, Position

PROBE = 32
"""Cells searched, out of as many as the square root of the number of vectors. Of 81 000 texts of benchmarks, 93 % of the 24 nearest of a
text and their cosines within 0.0003 are found in 0.4 ms of one core."""
PER_CELL = 40
"""Vectors per cell that its centre is found by, as FAISS advises; more of them change little."""


class Partition:
    """Vectors under the numbers of their rows in the record; nothing is shared between tenants. Callers hold `lock`."""

    def __init__(self, index: Any = None, *, trained: Numbers | None = None, cells_for: int = 0) -> None:
        self.lock = threading.RLock()
        self.index = index
        """Of FAISS; None until the first vector says how long they are, and then one that compares every vector."""
        self.position: Position = START
        """How far the record has been read."""
        self.trained: Numbers = np.zeros(0, dtype=np.int64) if trained is None else trained
        """Rows that the centres of the cells were found by."""
        self.cells_for = cells_for
        """How many vectors the number of cells was chosen for; 0 for an exact index."""
        self.partial = False
        """Whether it holds the newest rows alone, until the others are there."""
        self.worn = False
        """Whether cells were centred with the help of vectors that are gone."""
        self.unsaved = 0
        """Vectors added or removed since it was last written."""

    @classmethod
    def in_cells(cls, vectors: Vector, numbers: Numbers, count: int, *, probe: int = PROBE) -> Partition:
        """An empty one for `count` vectors, with cells centred by a sample of them `(n, d)`, rows `numbers`; `probe` are searched.

        An inverted file (Sivic and Zisserman 2003, "Video Google", https://doi.org/10.1109/ICCV.2003.1238663) of vectors in half
        precision: their cosines are right to 0.001, in half the memory.
        """
        import faiss

        dimensions = vectors.shape[1]
        centres = faiss.IndexFlatIP(dimensions)
        kind = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(centres, dimensions, cell_count(count), kind, faiss.METRIC_INNER_PRODUCT, False)
        index.nprobe = probe
        index.train(vectors)
        return cls(index, trained=np.sort(numbers), cells_for=count)

    def __len__(self) -> int:
        return int(self.index.ntotal) if self.index is not None else 0

    def add(self, numbers: Numbers, vectors: Vector) -> None:
        """Add unit vectors `(n, d)` of rows that are not there yet."""
        if len(numbers):
            import faiss

            if self.index is None:
                self.index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
            self.index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), numbers)
            self.unsaved += len(numbers)

    def search(self, vector: Vector, k: int) -> tuple[Numbers, Scores]:
        """Rows of the at most `k` nearest to a unit vector `(d,)`, nearest first, and their cosines."""
        if not len(self):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        if self.index.d != len(vector):
            raise ValueError(f"a query has {len(vector)} dimensions, the index {self.index.d}; was the encoder changed?")
        with _one_thread():
            similarities, numbers = self.index.search(vector[None, :].astype(np.float32), min(k, len(self)))
        found = numbers[0] != -1
        return numbers[0, found], similarities[0, found]

    def numbers(self) -> Numbers:
        """The rows that are there."""
        import faiss

        if not len(self):
            return np.zeros(0, dtype=np.int64)
        if not self.cells_for:
            return np.asarray(faiss.vector_to_array(self.index.id_map))
        lists = self.index.invlists
        cells = [faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell)) for cell in range(lists.nlist) if lists.list_size(cell)]
        return np.concatenate(cells).astype(np.int64)

    def remove(self, numbers: Numbers) -> None:
        """Take rows out."""
        if len(numbers):
            self.index.remove_ids(numbers)
            self.unsaved += len(numbers)
            self.worn = self.worn or bool(np.isin(numbers, self.trained).any())


def cell_count(vectors: int) -> int:
    """Cells of an inverted file."""
    return max(1, isqrt(vectors))


def sample_size(vectors: int) -> int:
    """Vectors that the cells of so many are centred by."""
    return min(vectors, PER_CELL * cell_count(vectors))


@contextmanager
def _one_thread() -> Iterator[None]:
    # For a single query the threads wait for each other a hundred times longer than they work, once cores are shared.
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
