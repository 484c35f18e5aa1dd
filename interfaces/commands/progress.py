"""A progress bar for everything that reports (phase, done, in all)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A function that draws one bar a phase on standard error; silent where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as display:

        def tell(phase: str, done: int, total: int) -> None:
            if phase not in bars:
                bars[phase] = display.add_task(phase, total=total)
            display.update(bars[phase], completed=done, total=total)

        yield tell
