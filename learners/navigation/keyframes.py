"""Which steps of an episode are worth keeping: those whose features stand out from their neighbours'."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...core.extras import require
from ...numerics.arrays import Floats, Labels

NEIGHBOURS = 10
"""Neighbours that a step is compared with."""


def local_outlier_factors(features: NDArray[np.floating], *, neighbours: int = NEIGHBOURS) -> Floats:
    """The local outlier factor of each row of `(n, d)`; larger stands out more, 1 is as dense as around its neighbours.

    Breunig et al. 2000, "LOF: Identifying Density-Based Local Outliers", https://doi.org/10.1145/342009.335388, as scikit-learn
    computes it. Of fewer than `neighbours` + 1 rows each has all the others as neighbours; where there are no two, all are 1. Rows
    must differ: equal ones have no distance between them, and so no density. Raises `ValueError` for values that are not finite and
    for no neighbour.
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all() or neighbours < 1:
        raise ValueError(
            f"features must be finite, of shape (n, d), neighbours at least 1; got shape {rows.shape}, {neighbours} neighbours"
        )
    if len(rows) < 2:
        return np.ones(len(rows))
    require("sklearn")
    from sklearn.neighbors import LocalOutlierFactor

    fitted = LocalOutlierFactor(n_neighbors=min(neighbours, len(rows) - 1)).fit(rows)
    return np.asarray(-fitted.negative_outlier_factor_, dtype=np.float64)


def adaptive_keyframes(
    features: NDArray[np.floating], *, neighbours: int = NEIGHBOURS, threshold: float = 1.0, share: float = 1.0
) -> Labels:
    """Steps of an episode that are kept, ascending: those with a factor above `threshold`, at most `share` of all, the largest first.

    A step that shows exactly what an earlier one showed is no candidate; the first step always is kept. C-NAV, section 3.3. Features
    `(n, d)`, one row a step. Raises as `local_outlier_factors`, and `ValueError` for a share outside of (0, 1].
    """
    rows = np.asarray(features, dtype=np.float64)
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1; got {share}")
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    _, first = np.unique(rows, axis=0, return_index=True)
    steps = np.sort(first)
    factors = local_outlier_factors(rows[steps], neighbours=neighbours)
    # The first step says how the episode begins, and keeps an even one from vanishing.
    factors[0] = math.inf
    most = max(1, math.floor(share * len(rows)))
    order = np.argsort(-factors, kind="stable")[:most]
    return np.sort(steps[order[factors[order] > threshold]]).astype(np.int64)


def uniform_keyframes(steps: int, *, share: float) -> Labels:
    """The contrast: the same share of an episode's steps at even distances, the first among them."""
    if steps < 0 or not 0 < share <= 1:
        raise ValueError(f"steps must not be negative, share above 0 and at most 1; got {steps}, {share}")
    count = max(1, math.floor(share * steps)) if steps else 0
    return np.asarray([number * steps // count for number in range(count)], dtype=np.int64)
