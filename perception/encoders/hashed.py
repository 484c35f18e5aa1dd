"""`HashedEncoder`: words and letters hashed, then projected; needs no model file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np

from ...numerics.arrays import Vector
from .encoder import ends

SPARSITY = 8
"""Places that one feature touches."""

_WORD = re.compile(r"\w+|[^\w\s]")


class HashedEncoder:
    """Word 1-2-grams and letter 3-5-grams through a sparse Johnson-Lindenstrauss projection.

    Every feature adds its weight, with a sign, to one place in each of 8 blocks (block construction of Kane and Nelson
    2014, "Sparser Johnson-Lindenstrauss Transforms", https://arxiv.org/abs/1012.1577); place and sign
    come from CRC-32, so that every process and machine gives the same vectors.
    Raises `ValueError` for dimensions that 8 does not divide.
    """

    def __init__(self, dimensions: int = 384, seed: int = 0) -> None:
        if dimensions < SPARSITY or dimensions % SPARSITY:
            raise ValueError(f"dimensions is {dimensions}; it must be a positive multiple of {SPARSITY}")
        self._dimensions = dimensions
        self._salts = np.array([crc32(f"{seed}:{block}".encode()) for block in range(SPARSITY)], dtype=np.uint64)

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return self._dimensions

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`."""
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            rows[row] = self._project(Counter(features(ends(text))))
        return rows

    def _project(self, counts: Counter[str]) -> Vector:
        codes = np.fromiter((crc32(feature.encode("utf-8", "surrogatepass")) for feature in counts), dtype=np.uint64, count=len(counts))
        weights = np.log1p(np.fromiter(counts.values(), dtype=np.float64, count=len(counts)))
        mixed = _mix(codes[:, None] + (self._salts[None, :] << np.uint64(32)))
        width = self._dimensions // SPARSITY
        places = (mixed >> np.uint64(1)) % np.uint64(width) + np.arange(SPARSITY, dtype=np.uint64) * np.uint64(width)
        signs = np.where(mixed & np.uint64(1), 1.0, -1.0)
        row = np.bincount(places.astype(np.int64).ravel(), weights=(signs * weights[:, None]).ravel(), minlength=self._dimensions)
        norm = float(np.linalg.norm(row))
        if norm == 0.0:
            row[0] = norm = 1.0
        return (row / norm).astype(np.float32)


def features(text: str) -> Iterator[str]:
    """Lower-cased word 1-2-grams, and letter 3-5-grams of each word with its edges marked; never none."""
    words = _WORD.findall(text.lower())
    yield from (f"w {word}" for word in words or [""])
    yield from (f"w {first} {second}" for first, second in pairwise(words))
    for word in words:
        edged = f"<{word}>"
        for size in (3, 4, 5):
            yield from (f"c {edged[start : start + size]}" for start in range(len(edged) - size + 1))


def _mix(values: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014): spreads every input bit over all output bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
