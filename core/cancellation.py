"""Work that ends early when nobody waits for its result any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event

from .errors import Cancelled

_cancelled: ContextVar[Event | None] = ContextVar("lifelong_cancelled", default=None)


@contextmanager
def cancelled_by(event: Event) -> Iterator[None]:
    """What this thread does inside ends with `Cancelled` soon after `event` is set, wherever it calls `check_cancelled`."""
    token = _cancelled.set(event)
    try:
        yield
    finally:
        _cancelled.reset(token)


def cancellation() -> Event | None:
    """The event that cancels what this thread does, for a thread that does a part of it; None where nothing can."""
    return _cancelled.get()


def check_cancelled(event: Event | None = None) -> None:
    """Raise `Cancelled` where `event`, or that of this thread, is set."""
    event = event or _cancelled.get()
    if event is not None and event.is_set():
        raise Cancelled("nobody waits for this answer any more, so the work on it has ended")
