"""Draws that decide by hash instead of by a generator, so that they do not depend on what was drawn before."""

from __future__ import annotations

import hashlib


def draw(seed: int, *key: object) -> float:
    """A number in [0, 1) that depends on the seed and the key alone, so that a resumed run draws the same.

    >>> draw(0, "control", "task-1") == draw(0, "control", "task-1") != draw(1, "control", "task-1")
    True
    """
    digest = hashlib.sha256("\0".join(map(str, (seed, *key))).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
