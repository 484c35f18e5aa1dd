"""Seconds and memory of a piece of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this thread on the processor."""
    begun, worked = time.perf_counter(), time.thread_time()
    work()
    return time.perf_counter() - begun, time.thread_time() - worked


def resident() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not say."""
    status = Path("/proc/self/statm")
    import resource

    return int(status.read_text().split()[1]) * resource.getpagesize() if status.exists() else 0
