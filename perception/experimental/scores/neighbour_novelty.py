"""`NearestNeighbourNovelty`: how far the nearest known sample is."""

from __future__ import annotations

from typing import Self

import numpy as np

from ....numerics.arrays import Labels, Logits, Scores, Vector, l2_normalize, validate_rows


class NearestNeighbourNovelty:
    """One minus the cosine to the `k`-th nearest known sample, in [0, 2]; to the farthest where fewer than `k` are known.

    Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors", https://arxiv.org/abs/2204.06507. Exact, with no index:
    samples come and go.
    """

    def __init__(self, k: int = 1) -> None:
        if k < 1:
            raise ValueError(f"k is {k}; it must be at least 1")
        self.k = k
        self._bank: Vector | None = None

    def fit(self, vectors: Vector, logits: Logits, labels: Labels) -> Self:
        """Begin anew from samples `(n, d)`; logits are not read."""
        rows = validate_rows("vectors", vectors)
        if not len(rows) == len(labels) > 0:
            raise ValueError(f"{len(rows)} vectors and {len(labels)} labels; one label a vector and at least one sample are needed")
        self._bank = l2_normalize(rows).astype(np.float32)
        return self

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples; the labels are not read."""
        rows = l2_normalize(validate_rows("vectors", vectors, None if self._bank is None else self._bank.shape[1])).astype(np.float32)
        self._bank = rows if self._bank is None else np.vstack([self._bank, rows])

    def forget(self, vectors: Vector, labels: Labels) -> None:
        """Take back samples, each with one of its duplicates where there are several. Raises `ValueError` for unknown ones."""
        bank = self._known()
        places: dict[bytes, list[int]] = {}
        for place, row in enumerate(bank):
            places.setdefault(row.tobytes(), []).append(place)
        keep = np.ones(len(bank), dtype=bool)
        for row in l2_normalize(validate_rows("vectors", vectors, bank.shape[1])).astype(np.float32):
            same = places.get(row.tobytes())
            if not same:
                raise ValueError("a vector to be forgotten is not among the known ones; forget only what was learned")
            keep[same.pop()] = False
        self._bank = bank[keep]

    def score(self, vectors: Vector, logits: Logits) -> Scores:
        """Novelty `(n,)`, float32; logits are not read."""
        import faiss

        bank = self._known()
        rows = l2_normalize(validate_rows("vectors", vectors, bank.shape[1])).astype(np.float32)
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        cosines, _ = faiss.knn(rows, bank, min(self.k, len(bank)), metric=faiss.METRIC_INNER_PRODUCT)
        return np.asarray(np.clip(1 - cosines[:, -1], 0, 2), dtype=np.float32)

    def _known(self) -> Vector:
        if self._bank is None or not len(self._bank):
            raise ValueError("NearestNeighbourNovelty knows no sample yet; call `fit` first")
        return self._bank
