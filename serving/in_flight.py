"""How many requests are under way on each served name, so that a name goes only when nobody uses it."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from ..core import NothingFound

RETIRE_SECONDS = 30.0
"""An adapter that is still asked for this long after its retirement was asked takes no more requests."""


class InFlight:
    """The count of requests under way, and the names that take no more."""

    def __init__(self, linger: float) -> None:
        """`linger` is how many seconds without a request make a name idle."""
        self._linger = linger
        self._changed = Condition()
        self._flying: Counter[str] = Counter()
        self._last_asked: dict[str, float] = {}
        self._closed: set[str] = set()

    @contextmanager
    def request(self, route: Callable[[], str]) -> Iterator[str]:
        """Count one request under the name that `route` gives. Raises `NothingFound` when that name is closed."""
        with self._changed:
            name = route()
            if name in self._closed:
                raise NothingFound(f"adapter {name} was retired; ask for a live one")
            self._flying[name] += 1
        try:
            yield name
        finally:
            with self._changed:
                self._flying[name] -= 1
                self._last_asked[name] = time.monotonic()
                self._changed.notify_all()

    def switch(self, change: Callable[[], None], old: str) -> None:
        """Change the route while no request picks its name; returns when none is under way on the `old` one."""
        with self._changed:
            change()
            self._changed.wait_for(lambda: not self._flying[old])

    def close(self, name: str) -> None:
        """Wait until a name is idle, at the latest for `RETIRE_SECONDS`, close it, and wait for its last requests."""
        with self._changed:
            latest = time.monotonic() + RETIRE_SECONDS
            while (now := time.monotonic()) < min(latest, self._idle_from(name, now)):
                self._changed.wait(timeout=self._linger)
            self._closed.add(name)
            self._changed.wait_for(lambda: not self._flying[name])

    def open(self, name: str) -> None:
        """Let a name take requests again."""
        with self._changed:
            self._closed.discard(name)

    def is_closed(self, name: str) -> bool:
        """Whether a name takes no more requests."""
        with self._changed:
            return name in self._closed

    def _idle_from(self, name: str, now: float) -> float:
        return now + self._linger if self._flying[name] else self._last_asked.get(name, -math.inf) + self._linger
