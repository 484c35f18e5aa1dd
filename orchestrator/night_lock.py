"""One night at a time on a home: a file lock that names its holder, and is free again when the holder dies."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ..memory import exclusive

log = logging.getLogger("lifelong")

LOCK = "night.lock"
"""File in the home that a night locks."""
HOLDER = "night.json"
"""File in the home that says whose night it is."""
POLL_SECONDS = 0.2
"""How often a waiting night looks whether it should stop waiting."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whose night it is."""

    pid: int
    """Process id."""
    host: str
    """Name of the machine."""
    since: float
    """Seconds since the epoch."""
    tenant: str
    """Whose night is running."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.since))}"


@contextmanager
def night_lock(home: Path, tenant: str, check: Callable[[], None]) -> Iterator[None]:
    """Hold the home's night lock; waits while another night runs, calling `check` meanwhile, which may raise to give up.

    The operating system frees the lock of a process that dies, so that the next night takes over by itself.
    """
    home.mkdir(parents=True, exist_ok=True)
    reported = False
    while True:
        check()
        with exclusive(home / LOCK, wait=False) as ours:
            if ours:
                try:
                    _name_holder(home, tenant)
                    yield
                finally:
                    (home / HOLDER).unlink(missing_ok=True)
                return
        if not reported:
            log.warning("another night is running (%s); this one begins when it has ended", holder(home) or "not named yet")
            reported = True
        time.sleep(POLL_SECONDS)


def _name_holder(home: Path, tenant: str) -> None:
    named = Holder(pid=os.getpid(), host=socket.gethostname(), since=time.time(), tenant=tenant)
    (home / HOLDER).write_text(json.dumps(asdict(named)))


def holder(home: Path) -> Holder | None:
    """Who holds the lock, None where nobody does."""
    if not home.is_dir():
        return None
    with exclusive(home / LOCK, wait=False) as free:
        if free:
            return None
    try:
        return Holder(**json.loads((home / HOLDER).read_text()))
    except (OSError, ValueError, TypeError):
        return None
