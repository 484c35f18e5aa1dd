"""Calls into code of others with a deadline."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Caller:
    """A thread of its own for one environment: all its calls come from one thread, and one that never returns is left behind.

    Python cannot end a thread; a call that is past its deadline keeps its thread, which does not keep the process from ending.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[tuple[bool, Any]]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="environment")
        self._thread.start()

    def call(self, function: Callable[[], T]) -> T:
        """What the function returns or raises.

        Raises `TimeoutError` when it takes longer than allowed, and `RuntimeError` in the place of what would end the process.
        """
        answer: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self._calls.put((function, answer))
        try:
            returned, value = answer.get(timeout=self._seconds)
        except queue.Empty:
            raise TimeoutError(f"no answer within {self._seconds:g} seconds") from None
        if not returned:
            raise value
        result: T = value
        return result

    def end(self, last: Callable[[], object]) -> None:
        """Let the thread end after a last call, whose result and failure nobody waits for."""
        self._calls.put((last, queue.SimpleQueue()))
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            function, answer = call
            try:
                answer.put((True, function()))
            except Exception as error:
                answer.put((False, error))
            except BaseException as error:  # such as `sys.exit`: it must end one episode, and not the process that waits for it
                answer.put((False, RuntimeError(f"it tried to end the process with {type(error).__name__}: {error}")))
