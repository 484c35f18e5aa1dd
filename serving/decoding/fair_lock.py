"""A lock that is given in the order in which it was asked for."""

from __future__ import annotations

from collections import deque
from threading import Lock


class FairLock:
    """A context manager; not reentrant.

    A lock of `threading` goes to whoever asks first after its release, which is the thread that has just released it: one that takes it
    again for each token would keep all others out until its last one.
    """

    def __init__(self) -> None:
        self._mutex = Lock()
        self._held = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._mutex:
            if not self._held:
                self._held = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:  # interrupted while it waited
            with self._mutex:
                given = turn not in self._waiting
                if not given:
                    self._waiting.remove(turn)
            if given:
                self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
