"""The one noun that perception reads text with: `Encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ...numerics.arrays import Vector


@runtime_checkable
class Encoder(Protocol):
    """Texts to unit vectors. Members: `MiniLMEncoder`, `HashedEncoder`. The laws are in `lifelong.checks.encoder`."""

    @property
    def dimensions(self) -> int:
        """Length of every vector."""

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`, one a text and in their order; the empty text has a vector too.

        Same text, same row, whatever stands beside it in the batch (up to float32 rounding).
        """
