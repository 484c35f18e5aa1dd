"""`learner.run(task)`: a run as a block of code, for synchronous and asynchronous agents alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

from ...core import Episode, NothingFound
from .run import OpenRun


class RunContext:
    """Begins a run on entry and ends it on exit.

    Left without `finish`, the run is recorded with the outcome that `judge` gave, or unknown; left by an exception, the reason names it.
    """

    def __init__(self, begin: Callable[[], OpenRun]) -> None:
        self._begin = begin
        self._run: OpenRun | None = None

    def __enter__(self) -> OpenRun:
        self._run = self._begin()
        return self._run

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._run is not None
        end_run(self._run, error)

    async def __aenter__(self) -> AsyncRun:
        self._run = await asyncio.to_thread(self._begin)
        return AsyncRun(self._run)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._run is not None
        # A task that is cancelled still keeps what it did.
        await asyncio.shield(asyncio.to_thread(end_run, self._run, error))


class AsyncRun:
    """An `OpenRun` whose methods are awaited; they run on a thread, since each waits for the disk. Attributes are the run's own."""

    _AWAITED = frozenset({"append", "record", "observe", "act", "tool", "reward", "truncate", "judge", "finish"})

    def __init__(self, run: OpenRun) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._run, name)
        return partial(asyncio.to_thread, value) if name in self._AWAITED else value

    async def finish(self, *args: Any, **options: Any) -> Episode:
        """See `OpenRun.finish`."""
        return await asyncio.to_thread(partial(self._run.finish, *args, **options))


def end_run(run: OpenRun, error: BaseException | None) -> None:
    """Record a run that its block leaves, unless it ended there already."""
    reason = f"the run ended with {type(error).__name__}: {error}"[:500] if error is not None else ""
    try:
        run.finish(reason=reason)
    except NothingFound:
        return
