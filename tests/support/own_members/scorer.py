"""A scorer of two lines: how far the largest logit stands above the others' mean."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from lifelong.numerics.arrays import validate_rows

Rows = NDArray[np.float32]


def gap_confidence(logits: Rows) -> Rows:
    """Largest logit less the mean of all, `(n,)`; larger is surer."""
    return np.asarray(logits.max(1, initial=-np.inf) - logits.mean(1), dtype=np.float32)


class GapConfidence:
    """`gap_confidence`; nothing is learned."""

    def fit(self, vectors: Rows, logits: Rows, labels: NDArray[np.int64]) -> Self:
        if not len(validate_rows("logits", logits)) == len(labels) > 0:
            raise ValueError("one label a sample, and at least one sample, are needed")
        return self

    def score(self, vectors: Rows, logits: Rows) -> Rows:
        return gap_confidence(validate_rows("logits", logits))
