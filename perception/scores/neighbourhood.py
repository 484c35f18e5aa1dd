"""Rows in the company of their nearest neighbours: what lies close together is drawn together before it is counted or clustered."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Vector, l2_normalize

NEIGHBOURS = 10
"""Rows a neighbourhood holds in a large bank, the row itself among them."""


def neighbourhood_size(bank: int) -> int:
    """How many rows a neighbourhood holds: half the root of the bank, between 1 and `NEIGHBOURS`."""
    return min(NEIGHBOURS, max(1, ceil(sqrt(bank) / 2)))


def nearest(rows: Vector, bank: Vector, size: int) -> NDArray[np.int64]:
    """Places `(n, size)` in the bank `(m, d)` of the nearest unit rows to each unit row `(n, d)` by cosine, nearest first."""
    import faiss

    if not len(rows):
        return np.zeros((0, size), dtype=np.int64)
    _, places = faiss.knn(np.ascontiguousarray(rows), np.ascontiguousarray(bank), size, metric=faiss.METRIC_INNER_PRODUCT)
    return np.asarray(places, dtype=np.int64)


def smoothed(rows: Vector, bank: Vector) -> Vector:
    """Mean directions `(n, d)` of the neighbourhoods of unit rows `(n, d)` in a bank that holds them or rows like them.

    One step of mean shift with a nearest-neighbour kernel (Fukunaga & Hostetler 1975, "The estimation of the gradient of a density
    function"): what differs between wordings of one meaning averages out, what differs between meanings stays.
    """
    if not len(rows) or not len(bank):
        return rows
    size = neighbourhood_size(len(bank))
    total = np.zeros(rows.shape, dtype=np.float32)
    places = nearest(rows, bank, size)
    for column in range(size):
        total += bank[places[:, column]]
    return np.asarray(l2_normalize(total), dtype=np.float32)
