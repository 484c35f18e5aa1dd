"""The one noun that perception reads text with: `Encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ...numerics.arrays import Vector

READ = 2800
"""Characters of a text that are read, four windows of the default model and 0.2 s of one core; of a longer text the two ends."""


def ends(text: str) -> str:
    """The text, or its first and last characters where it is longer than `READ`, so that no text costs more than a bounded time.

    A request says what it wants at its beginning or at its end; what lies between is material.

    >>> len(ends("a" * 10**6)) == READ + 1, ends("short")
    (True, 'short')
    """
    return text if len(text) <= READ else f"{text[: READ // 2]} {text[len(text) - READ // 2 :]}"


@runtime_checkable
class Encoder(Protocol):
    """Texts to unit vectors. Members: `MiniLMEncoder`, `HashedEncoder`. The rules are in `lifelong.checks.encoder`."""

    @property
    def dimensions(self) -> int:
        """Length of every vector."""

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows, float32 `(n, dimensions)`, one a text and in their order; the empty text has a vector too.

        Same text, same row, whatever stands beside it in the batch (up to float32 rounding).
        """
