"""Writing down what was answered: one thread, and as many answers in a transaction as have come meanwhile."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ...core import StoreError

log = logging.getLogger("lifelong")

MOST_AT_ONCE = 64
"""Answers in one transaction."""
MOST_WAITING = 4096
"""Answers that wait to be written; beyond them (the disk is full, the record locked for long) new ones are dropped and counted."""
TRIES = 20
"""Times that a write is tried while the record cannot be written (locked by another process, no space on the disk)."""
PAUSE_SECONDS = 1.0
"""Between two tries."""


@dataclass(kw_only=True, eq=False)
class _Job:
    write: Callable[[], None]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[bool] = field(repr=False)

    def settle(self, written: bool) -> None:
        def tell() -> None:
            if not self.done.done():
                self.done.set_result(written)

        try:
            self.loop.call_soon_threadsafe(tell)
        except RuntimeError:  # the loop has ended, and nobody waits any more
            return


class Recorder:
    """Runs writes in their order in a thread of its own, inside the record's transaction."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[None]], seconds: float) -> None:
        self._transaction = transaction
        self._seconds = seconds
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._ending = False
        self._since: float | None = None
        self.written = 0
        """Answers on disk, since the start."""
        self.lost = 0
        """Answers that could not be written: no room to wait, or the write failed."""
        self.late = 0
        """Answers whose end went out before they were on disk."""
        self._thread = threading.Thread(target=self._run, name="lifelong-recorder", daemon=True)
        self._thread.start()

    async def record(self, write: Callable[[], None]) -> bool:
        """Whether it is on disk now. False where it will be later, or was given up; it waits `seconds`, and not at all while
        an earlier one has waited longer than that.
        """
        if self._waiting >= MOST_WAITING:
            self.lost += 1
            return False
        loop = asyncio.get_running_loop()
        job = _Job(write=write, loop=loop, done=loop.create_future())
        self._waiting += 1
        job.done.add_done_callback(self._settled)
        stuck = self._since is not None and time.monotonic() - self._since > self._seconds
        self._since = self._since or time.monotonic()
        self._jobs.put(job)
        if not stuck:
            try:
                return await asyncio.wait_for(asyncio.shield(job.done), self._seconds)
            except TimeoutError:
                pass
        self.late += 1
        return False

    def close(self, seconds: float = 30.0) -> None:
        """Write what waits, for at most so long."""
        self._ending = True
        self._jobs.put(None)
        self._thread.join(seconds)

    @property
    def waiting(self) -> int:
        """Answers that are not on disk yet."""
        return self._waiting

    def _settled(self, done: asyncio.Future[bool]) -> None:
        self._waiting -= 1
        self._since = time.monotonic() if self._waiting else None
        if not done.cancelled() and done.result():
            self.written += 1
        else:
            self.lost += 1

    def _run(self) -> None:
        ended = False
        while not ended:
            jobs = [self._jobs.get()]
            while len(jobs) < MOST_AT_ONCE and jobs[-1] is not None and not self._jobs.empty():
                jobs.append(self._jobs.get())
            ended = jobs[-1] is None
            self._write([job for job in jobs if job is not None])

    def _write(self, jobs: list[_Job]) -> None:
        """Write all of them together; one that cannot be written must not take the others with it."""
        tries = 0
        while jobs:
            failing: _Job | None = None
            try:
                with self._transaction():
                    for failing in jobs:
                        failing.write()
                    failing = None
                break
            except StoreError as error:
                tries += 1
                log.warning("the record cannot be written (try %d of %d): %s", tries, TRIES, error)
                if tries < TRIES and not self._ending:
                    time.sleep(PAUSE_SECONDS)
                    continue
                dropped = [failing] if failing else jobs
            except Exception as error:
                log.warning("an answer could not be recorded: %s", error, exc_info=error)
                dropped = [failing] if failing else jobs
            for job in dropped:
                job.settle(False)
            jobs = [job for job in jobs if job not in dropped]
        for job in jobs:
            job.settle(True)
