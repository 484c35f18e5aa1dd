"""Kernel ridge regression whose scores are turned into chances: the closed-form member of `CueHead`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Vector, l2_normalize

Chances = Callable[[Vector], NDArray[np.float64]]
BLOCK = 512
"""Questions answered at a time."""
LEAST = 0.01
"""Regularisation of a sample, at least: below it float32 could not solve."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelRidge:
    """A fitted kernel ridge regression: called with rows `(m, d)` it gives chances `(m, classes)`."""

    known: NDArray[np.float64]
    """Unit samples `(n, d)`: the kernel compares every question with each of them."""
    solved: NDArray[np.float64]
    """Dual weights `(n, classes)`, the sharpness within."""
    gamma: float
    """Of the kernel."""

    def __call__(self, asked: Vector) -> NDArray[np.float64]:
        """Chances, block by block."""
        answers = np.zeros((len(asked), self.solved.shape[1]))
        for start in range(0, len(asked), BLOCK):
            some = slice(start, start + BLOCK)
            scores = _kernel(l2_normalize(asked[some].astype(np.float64)), self.known, self.gamma) @ self.solved
            shares = np.exp(scores - scores.max(1, keepdims=True))
            answers[some] = shares / shares.sum(1, keepdims=True)
        return answers


def kernel_ridge(
    rows: Vector, targets: NDArray[np.int64], weights: Vector, *, gamma: float, regularisation: float, sharpness: float
) -> Chances:
    """Fit samples `(n, d)` of classes `targets`, each class with its weight `(classes,)`; what gives chances `(m, classes)` for rows.

    Regression to one-hot labels in the space of the kernel `exp(-gamma |x - y|^2)` of unit vectors, solved exactly (Saunders et al.
    1998, "Ridge Regression Learning Algorithm in Dual Variables", equation 8), a sample's regularisation divided by its weight. The
    chances are the softmax of the scores times `sharpness`. Takes `4 n^2` bytes while it is solved.
    """
    from scipy.linalg import cho_factor, cho_solve

    known = np.asarray(l2_normalize(rows), dtype=np.float32)
    kernel = _kernel(known, known, gamma)
    kernel[np.diag_indices(len(kernel))] += np.maximum(regularisation / weights[targets], LEAST)
    # It is symmetric: its transpose is the same matrix in the order that is solved in place.
    factor = cho_factor(kernel.T, overwrite_a=True, check_finite=False)
    solved = sharpness * cho_solve(factor, np.eye(len(weights), dtype=np.float32)[targets], check_finite=False).astype(np.float64)
    return KernelRidge(known=known.astype(np.float64), solved=solved, gamma=gamma)


def _kernel(left: NDArray[np.floating], right: NDArray[np.floating], gamma: float) -> NDArray[np.floating]:
    # |x - y|^2 = 2 - 2 x.y for unit vectors; in place, since the matrix is the largest thing in memory.
    similar = left @ right.T
    similar -= 1
    similar *= 2 * gamma
    return np.asarray(np.exp(similar, out=similar))
