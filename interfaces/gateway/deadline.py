"""Work beside a request that must never hold it up: few threads, one deadline, and a circuit breaker."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger("lifelong")

THREADS = 2
"""Calls at once. They compete for the processor, so more would only make all of them late."""
MOST_BEGUN = 64
"""Calls that run or wait; where as many hang, the next is given up at once."""
FAILURES = 5
"""Failures in a row after which the breaker opens."""
OPEN_SECONDS = 5.0
"""How long nothing is tried then; a single call tries again afterwards."""


FULL = 0.7
"""Share of the deadline that the calls before one and itself may be expected to take."""
WEIGHT = 0.1
"""Of the newest call in the running mean of how long one takes."""


class Late(Exception):
    """The call was not begun before its deadline, or had not ended then."""


class Aside:
    """Runs calls in threads and waits for none beyond the deadline (invariant Fail open). Use from one event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="lifelong-aside")
        self._begun = 0
        self._in_a_row = 0
        self._closed_until = 0.0
        self._typical = 0.0
        self.missed = 0
        """Calls that were not ready in time, since the start."""
        self.failed = 0
        """Calls that raised."""
        self.skipped = 0
        """Calls that were not tried, since earlier ones hang or failed, or so many wait that it would have come too late."""

    async def call(self, function: Callable[[], T]) -> T | None:
        """The result, or None where there is none in time; never raises what `function` raises."""
        started = time.monotonic()
        if self._begun >= MOST_BEGUN or started < self._closed_until or self._would_be_late():
            self.skipped += 1
            return None
        if self._in_a_row >= FAILURES:
            self._closed_until = started + OPEN_SECONDS  # this call alone tries whether it works again
        deadline = started + self._seconds

        def begin() -> T:
            begun = time.monotonic()
            if begun > deadline:
                raise Late
            try:
                return function()
            finally:
                self._typical += WEIGHT * (time.monotonic() - begun - self._typical)

        self._begun += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, begin)
        future.add_done_callback(self._ended)
        await asyncio.wait((future,), timeout=self._seconds)
        try:
            if not future.done():
                raise Late
            result = future.result()
        except Late:
            self.missed += 1
            self._count_failure()
            return None
        except Exception as error:
            self.failed += 1
            self._count_failure()
            log.warning("memory and perception failed and were passed over: %s", error, exc_info=error)
            return None
        self._in_a_row, self._closed_until = 0, 0.0
        return result

    @property
    def open(self) -> bool:
        """Whether the breaker is open: nothing is tried at the moment."""
        return time.monotonic() < self._closed_until

    def close(self) -> None:
        """Start no more calls; those that run end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _would_be_late(self) -> bool:
        """Whether the calls before this one would leave it no time: what is not begun costs those that are nothing."""
        return self._begun >= THREADS and (self._begun / THREADS + 1) * self._typical > FULL * self._seconds

    def _ended(self, future: asyncio.Future[T]) -> None:
        self._begun -= 1
        if not future.cancelled():
            future.exception()  # a result that came too late is nobody's; reading it keeps the loop from reporting it

    def _count_failure(self) -> None:
        self._in_a_row += 1
        if self._in_a_row == FAILURES:
            self._closed_until = time.monotonic() + OPEN_SECONDS
            log.warning("memory and perception were late or failed %d times in a row; requests go on without them", FAILURES)
