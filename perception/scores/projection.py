"""`Lens`: a linear view of vectors in which classes lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...numerics.arrays import Vector, l2_normalize


@dataclass(frozen=True, kw_only=True)
class Lens:
    """Moves vectors to an origin and through a matrix, scales them to length one, and compares them with the classes there."""

    origin: Vector
    """Subtracted first `(d,)`."""
    matrix: Vector
    """Then multiplied `(d, k)`."""
    centres: Vector
    """Unit rows `(count, k)` of the classes."""

    def see(self, vectors: Vector) -> Vector:
        """Unit rows `(n, k)` of vectors `(n, d)`; what lies on the origin stays zero."""
        return np.asarray(l2_normalize((vectors - self.origin) @ self.matrix), dtype=np.float32)
