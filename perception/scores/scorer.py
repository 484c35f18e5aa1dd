"""The noun of the failure and novelty scores: `Scorer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..encoders.encoder import Vector

Logits = NDArray[np.float32]
Labels = NDArray[np.int64]
Scores = NDArray[np.float32]
BLOCK = 2048
"""Rows scored at a time."""


@runtime_checkable
class Scorer(Protocol):
    """One number a sample. The class name says which way it points: `...Confidence` larger is surer, `...Novelty` larger is stranger.

    Members read embeddings `(n, d)`, the logits `(n, classes)` of a head over them, or both; what a member does not read
    may be anything of the right length. The laws are in `lifelong.checks.scorer`.
    """

    def fit(self, vectors: Vector, logits: Logits, labels: Labels) -> Self:
        """Learn what is known from samples and their class numbers `(n,)`; the inputs stay as they are (law 2).

        Raises `ValueError` for NaN or infinite values, for lengths that differ and for no sample at all.
        """

    def score(self, vectors: Vector, logits: Logits) -> Scores:
        """Scores `(n,)`, float32. Raises `ValueError` before `fit`, where there is something to fit, and for NaN or infinite values."""


def checked(name: str, rows: NDArray[np.floating], columns: int | None = None) -> NDArray[np.float32]:
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


def unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows scaled to length one; a row of zeros stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def in_blocks(formula: Callable[..., Any], *arrays: NDArray[np.float32]) -> Scores:
    """Scores `(n,)` by a formula over the rows of arrays `(n, ...)`, some rows at a time.

    So what lies between input and score stays in the processor's cache, and memory does not grow with the number of rows.
    """
    scores = np.empty(len(arrays[0]), dtype=np.float32)
    for start in range(0, len(scores), BLOCK):
        some = slice(start, start + BLOCK)
        scores[some] = formula(*(array[some] for array in arrays))
    return scores
