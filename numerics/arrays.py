"""Array types, validation, normalization and batching that all numeric modules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyFloats = NDArray[np.floating]
"""Numbers of either precision, where any will do."""
Arrays = Mapping[str, NDArray[Any]]
"""Named arrays: what is kept of something that has learned."""
Floats = NDArray[np.float64]
"""Numbers in double precision, where sums must stay exact."""
Vector = NDArray[np.float32]
"""Embeddings, `(d,)` or `(n, d)`."""
Logits = NDArray[np.float32]
"""Logits of a classifier, `(n, classes)`."""
Labels = NDArray[np.int64]
"""Class numbers, `(n,)`."""
Scores = NDArray[np.float32]
"""One score a sample, `(n,)`."""
BLOCK = 2048
"""Rows processed at a time by `batched`."""


def validate_rows(name: str, rows: NDArray[np.floating], columns: int | None = None) -> NDArray[np.float32]:
    """`rows` as float32 `(n, columns)`. Raises `ValueError` for another shape and for NaN or infinite values."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if rows.ndim != 2 or (columns is not None and rows.shape[1] != columns):
        raise ValueError(f"{name} have the shape {rows.shape}; rows of {columns or 'equal'} columns are needed")
    # A sum is not finite as soon as one entry is not, and reads the rows ten times as fast as a look at every entry; only
    # where large entries overflow it does every entry have to be looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        total = rows.sum()
    if not np.isfinite(total) and not np.isfinite(rows).all():
        raise ValueError(f"{name} hold NaN or infinite values; encode the texts again or leave these rows out")
    return rows


def l2_normalize(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows scaled to length one; a row of zeros stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def batched(formula: Callable[..., Any], *arrays: NDArray[np.float32]) -> Scores:
    """Scores `(n,)` by a formula over the rows of arrays `(n, ...)`, some rows at a time.

    So what lies between input and score stays in the processor's cache, and memory does not grow with the number of rows.
    """
    scores = np.empty(len(arrays[0]), dtype=np.float32)
    for start in range(0, len(scores), BLOCK):
        some = slice(start, start + BLOCK)
        scores[some] = formula(*(array[some] for array in arrays))
    return scores
