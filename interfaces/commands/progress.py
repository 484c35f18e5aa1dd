"""How far a long command is: `progress_bars` for everything that reports (phase, done, in all)."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from ...core import printable
from ...metrics.numbers import duration

EVERY = 30.0
"""Seconds after which a phase that goes on gets another line, where the output is no terminal."""

Tell = Callable[[str, int, int], None]
"""Called with (phase, done, in all)."""


@contextmanager
def progress_bars() -> Iterator[Tell]:
    """A function that shows how far each phase is on standard error: a bar a phase on a terminal, lines of text elsewhere."""
    with _bars() if sys.stderr.isatty() else _lines(sys.stderr, EVERY) as tell:
        yield tell


@contextmanager
def _bars() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as display:

        def tell(phase: str, done: int, total: int) -> None:
            if phase not in bars:
                bars[phase] = display.add_task(printable(phase), total=total)
            display.update(bars[phase], completed=done, total=total)

        yield tell


@contextmanager
def _lines(stream: TextIO, every: float) -> Iterator[Tell]:
    """A line when a phase begins, one each `every` seconds while it goes on (from a thread: a phase may be silent), and one at its end."""
    lines = ProgressLines(stream)
    stop = threading.Event()

    def repeat() -> None:
        while not stop.wait(every):
            lines.repeat()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield lines.tell
    finally:
        stop.set()
        thread.join()


class ProgressLines:
    """Progress as lines of text, such as `database: awake 32/96 (41 s)`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._phase = ""
        self._done = self._total = 0
        self._started = 0.0

    def tell(self, phase: str, done: int, total: int) -> None:
        """Note how far a phase is; its beginning and its end are written at once."""
        with self._lock:
            began, ended = phase != self._phase, done >= total and (phase, done) != (self._phase, self._done)
            if began:
                self._phase, self._started = phase, time.monotonic()
            self._done, self._total = done, total
            if began or ended:
                self._write()

    def repeat(self) -> None:
        """Write how far the current phase is, if there is one that has not ended."""
        with self._lock:
            if self._phase and self._done < self._total:
                self._write()

    def _write(self) -> None:
        spent = time.monotonic() - self._started
        self._stream.write(f"{printable(self._phase)} {self._done}/{self._total} ({duration(spent)})\n")
        self._stream.flush()
