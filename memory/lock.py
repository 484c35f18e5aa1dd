"""One process at a time: a lock on a file that the system gives back by itself when its holder dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..core.paths import AnyPath


@contextlib.contextmanager
def exclusive(path: AnyPath, *, wait: bool) -> Iterator[bool]:
    """Hold the lock on a file, which is made if need be; False where another holds it and we do not wait.

    Threads of one process exclude each other as processes do. Where the system has no such locks, everybody holds it.
    """
    path = Path(path)
    try:
        import fcntl
    except ImportError:  # Windows: one process a home is what its users have
        yield True
        return
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
