"""Keeping the process small between batches."""

from __future__ import annotations

import ctypes


def give_back_memory() -> None:
    """Return freed pages to the system. Batches of ever other lengths leave holes in glibc's heap, which else only grows."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
