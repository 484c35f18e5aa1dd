"""An episode of navigation drawn live: plain text, and only on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from .progress import Tell, progress_bars

if TYPE_CHECKING:
    from ...envs import ObjectNavGridEnvironment

    Watch = Callable[[ObjectNavGridEnvironment, str], None]

FRAME_SECONDS = 0.08
"""How long a frame stays at least, so that an eye can follow."""


class Screen:
    """Frames that overwrite each other: what is being done, the scene from above, and the last action."""

    def __init__(self, stream: TextIO, *, seconds: float = FRAME_SECONDS) -> None:
        self._stream, self._seconds = stream, seconds
        self._phase = ""
        self._trail: set[tuple[int, int]] = set()
        self._lines = 0

    def tell(self, phase: str, done: int, total: int) -> None:
        """Note how far a phase is; shown with the next frame, and at once where there is no episode."""
        self._phase = f"{phase} {done}/{total}"
        self._write([self._phase])

    def watch(self, world: ObjectNavGridEnvironment, done: str) -> None:
        """Draw the scene after an action; `` before the first."""
        from ...envs.navigation.drawing import LEGEND, draw_map

        grid_map, pose = world.map()
        self._trail = {*self._trail, pose.cell} if done else {pose.cell}
        drawn = draw_map(grid_map, pose, world.wanted, self._trail)
        self._write([self._phase, f"find the {world.wanted}", *drawn.split("\n"), LEGEND, f"did: {done or 'nothing yet'}"])
        time.sleep(self._seconds)

    def _write(self, lines: list[str]) -> None:
        """Go up over the last frame, and clear to the end of the screen before the new one."""
        up = f"\x1b[{self._lines}A\x1b[J" if self._lines else ""
        self._stream.write(up + "".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._lines = len(lines)


@contextmanager
def navigation_screen() -> Iterator[tuple[Tell, Watch | None]]:
    """How far a run is and a function that draws its episodes; None where standard output is no terminal."""
    if sys.stdout.isatty():
        screen = Screen(sys.stdout)
        yield screen.tell, screen.watch
        return
    with progress_bars() as tell:
        yield tell, None
