"""Returning freed memory to the system between batches."""

from __future__ import annotations

import ctypes


def give_back_memory() -> None:
    """Return freed pages to the system. Batches of changing lengths leave holes in glibc's heap, which otherwise only grows."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
