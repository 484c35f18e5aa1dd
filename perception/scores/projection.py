"""`Projection`: a linear projection of vectors in which classes are separated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...numerics.arrays import Vector, l2_normalize


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Subtracts a mean and multiplies by a matrix, scales them to length one, and compares them with the classes there."""

    mean: Vector
    """Subtracted first `(d,)`."""
    matrix: Vector
    """Then multiplied `(d, k)`."""
    centres: Vector
    """Unit rows `(count, k)` of the classes."""

    def transform(self, vectors: Vector) -> Vector:
        """Unit rows `(n, k)` of vectors `(n, d)`; a vector equal to the mean stays zero."""
        return np.asarray(l2_normalize((vectors - self.mean) @ self.matrix), dtype=np.float32)
