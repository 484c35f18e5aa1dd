"""Threads for calls that block, bounded in number, in waiting calls and in the memory of what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ...core import LifelongError

T = TypeVar("T")

MOST_WAITING_BYTES = 64 << 20
"""64 MiB of requests in work or waiting; one that would exceed it is refused."""


class Overloaded(LifelongError):
    """Too many requests run and wait already; the same request may succeed in a moment."""


class Workers:
    """A pool of threads with a bounded queue. Use from one event loop.

    `running` calls run at once, `waiting` more wait; a further call is refused at once with `Overloaded`.
    """

    def __init__(self, name: str, *, running: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=running, thread_name_prefix=f"lifelong-{name}")
        self._most = running + waiting
        self.active = 0
        """Calls that run or wait now."""
        self.refused = 0
        """Calls refused since the start."""
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether the next call would be refused."""
        return self.active >= self._most

    async def call(self, function: Callable[[], T], size: int = 0) -> T:
        """Run `function` in a thread; `size` is the memory that its input holds, in bytes. Raises `Overloaded`, or what it raises."""
        if self.full or (self.active and self._bytes + size > MOST_WAITING_BYTES):
            self.refused += 1
            raise Overloaded(f"{self.active} requests run or wait already; try again in a moment")
        self.active += 1
        self._bytes += size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function)
        finally:
            self.active -= 1
            self._bytes -= size

    def close(self) -> None:
        """Start no more calls; those that run end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
