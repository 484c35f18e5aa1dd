"""`VirtualLogitNovelty` (ViM): what the head does not see of a vector, set against what it does."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Logits, Scores, Vector, batched, validate_rows


class VirtualLogitNovelty:
    """`alpha |x_residual| - ln sum exp(logits)`: one virtual logit, from the part of `x` outside the principal subspace.

    Wang et al. 2022, "ViM: Out-Of-Distribution with Virtual-logit Matching", equations 4 to 7, https://arxiv.org/abs/2203.10807. The
    origin is the point where
    the head's logits are least, `-W^+ b`; `W` and `b` are read off the samples by least squares, exactly so where the head
    is linear in the vectors and there are more samples than dimensions. `principal` is the number of principal directions,
    half of all unless given.
    """

    def __init__(self, principal: int | None = None) -> None:
        if principal is not None and principal < 1:
            raise ValueError(f"principal is {principal}; it must be at least 1")
        self.principal = principal
        self._residual: NDArray[np.float32] | None = None

    def fit(self, vectors: Vector, logits: Logits, labels: Labels) -> Self:
        """Begin anew from samples `(n, d)` and their logits; the labels are not read.

        Raises `ValueError` where `principal` leaves no residual.
        """
        rows, outputs = validate_rows("vectors", vectors), validate_rows("logits", logits)
        if not len(rows) == len(outputs) == len(labels) > 0:
            raise ValueError(f"{len(rows)} vectors, {len(outputs)} rows of logits and {len(labels)} labels; one of each a sample is needed")
        dimensions = rows.shape[1]
        principal = max(1, dimensions // 2) if self.principal is None else self.principal
        if principal >= dimensions:
            raise ValueError(f"{principal} principal directions of {dimensions} leave no residual; take fewer")
        wide = np.hstack([rows.astype(np.float64), np.ones((len(rows), 1))])
        head = np.linalg.lstsq(wide, outputs.astype(np.float64), rcond=None)[0]
        self._origin = (-np.linalg.pinv(head[:-1].T) @ head[-1]).astype(np.float32)
        centred = rows.astype(np.float64) - self._origin
        directions = np.linalg.eigh(centred.T @ centred)[1]
        # `eigh` sorts ascending: the first columns are the directions in which the samples vary least.
        self._residual = directions[:, : dimensions - principal].astype(np.float32)
        norms = self._norms(rows)
        # On known samples the virtual logit is then as large as the largest real one.
        self._alpha = float(outputs.max(1).mean() / max(float(norms.mean()), 1e-12))
        return self

    def score(self, vectors: Vector, logits: Logits) -> Scores:
        """Novelty `(n,)`, float32."""
        import torch

        if self._residual is None:
            raise ValueError("VirtualLogitNovelty is not fitted; call `fit` first")
        rows, outputs = validate_rows("vectors", vectors, len(self._origin)), validate_rows("logits", logits)
        if len(rows) != len(outputs):
            raise ValueError(f"{len(rows)} vectors and {len(outputs)} rows of logits; one of each a sample is needed")
        return batched(lambda some, logit: self._alpha * self._norms(some) - torch.from_numpy(logit).logsumexp(-1).numpy(), rows, outputs)

    def _norms(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        assert self._residual is not None
        residual = (rows - self._origin) @ self._residual
        return np.asarray(np.sqrt(np.einsum("nd,nd->n", residual, residual)))
