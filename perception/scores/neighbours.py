"""Novelty of one task against the remembered ones, and the threshold that keeps a promise, as pure formulas."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Vector


def nearest_neighbour_novelty(vector: Vector, bank: Vector) -> float:
    """Novelty in [0, 2], larger is stranger: one minus the cosine of a unit vector `(d,)` to the nearest row of `(n, d)`.

    k = 1 of Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors", https://arxiv.org/abs/2204.06507; 2 when the
    bank is empty.
    """
    if len(bank) == 0:
        return 2.0
    return float(np.clip(1.0 - (bank @ vector).max(), 0.0, 2.0))


def leave_one_out_novelty(bank: Vector) -> NDArray[np.float32]:
    """Novelty `(n,)` of every unit row of `(n, d)` against the other rows; empty for fewer than two rows."""
    if len(bank) < 2:
        return np.zeros(0, dtype=np.float32)
    cosines = bank @ bank.T
    np.fill_diagonal(cosines, -np.inf)  # nobody is the neighbour of itself
    return np.asarray(np.clip(1.0 - cosines.max(axis=1), 0.0, 2.0), dtype=np.float32)


def conformal_quantile(values: NDArray[np.floating], quantile: float) -> float:
    """The ceil((n + 1) quantile)-th smallest of n values, at most the largest.

    A further value of the same distribution stays below it with at least that probability while the rank exists
    (split conformal prediction, Vovk et al. 2005). Raises `ValueError` when there is no value.
    """
    if values.size == 0:
        raise ValueError("the quantile of no values is not defined")
    rank = min(values.size, ceil((values.size + 1) * quantile))
    return float(np.sort(values)[rank - 1])
