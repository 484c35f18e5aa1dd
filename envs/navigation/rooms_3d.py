"""Furnished rooms on a lattice of cells one metre apart: a scene from a number alone, as pure data, and pictures of it by a camera.

The scene needs no graphics; `take_picture` draws it with MiniWorld (Chevalier-Boisvert et al. 2023, "Minigrid & Miniworld",
https://arxiv.org/abs/2306.13831), which uses OpenGL, here without a display (EGL). A context of OpenGL belongs to one thread, so all
pictures of a process are drawn in one thread, by one camera.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...core.errors import LifelongError
from ...core.extras import require
from ..payloads import Array
from .paths import DIRECTIONS, Cell, GridMap, Pose

MESHES = {
    "red ball": ("ball_red", 0.6), "blue ball": ("ball_blue", 0.6), "green ball": ("ball_green", 0.6), "yellow ball": ("ball_yellow", 0.6),
    "red key": ("key_red", 0.6), "blue key": ("key_blue", 0.6), "green key": ("key_green", 0.6), "yellow key": ("key_yellow", 0.6),
    "rubber duckie": ("duckie", 0.5), "first medkit": ("medkit", 0.4), "magic potion": ("potion", 0.6), "traffic cone": ("cone", 0.7),
    "wooden barrel": ("barrel", 0.8), "office chair": ("office_chair", 1.0), "leafy tree": ("tree", 1.4), "door card": ("keycard", 0.4),
    "grey ball": ("ball_grey", 0.6), "grey key": ("key_grey", 0.6),
}  # fmt: skip
"""Mesh and height in metres of every category."""
CATEGORIES_3D = tuple(MESHES)
STAGES_3D = tuple(CATEGORIES_3D[first:16:4] for first in range(4))
"""Goal categories in the order in which they are taught: 4 stages of 4, kinds mixed. The last two categories are never taught."""

ROOM, GAP, ROOMS = 5, 1, 2
"""Metres along a room, between two rooms, and rows and columns of rooms."""
SIZE = ROOMS * ROOM + (ROOMS - 1) * GAP
"""Cells along a scene."""
OBJECTS = 6
"""Objects in a scene, all of different categories."""
WIDTH, HEIGHT = 80, 60
"""Pixels of a picture."""
FIELD = math.tan(math.radians(30)) * WIDTH / HEIGHT
"""Metres to either side that the camera sees a metre ahead; its field of view is 60 degrees high."""
RENDER_SECONDS = 60.0
"""Seconds that one picture may take, the first one, which opens the renderer, included."""
_SAMPLES = 4
"""Places on a line of sight for every metre."""
_EDGE = (0.5 - 1e-9, 0.5 + 1e-9)
_WALLS = ("brick_wall", "concrete", "drywall", "wood", "stucco")
_FLOORS = ("wood", "concrete", "floor_tiles_bw")


class NoRenderer(LifelongError, RuntimeError):
    """Pictures in three dimensions cannot be drawn on this machine."""


@dataclass(frozen=True, kw_only=True)
class RoomsLayout:
    """A scene at its start."""

    scene: int
    """Its number."""
    grid_map: GridMap
    """Floor and objects; rooms are connected by openings without doors."""
    openings: frozenset[Cell]
    """Cells between two rooms that can be walked through."""
    start: Pose
    """Where the agent begins."""


class RoomsWorld:
    """A scene with an agent in it."""

    def __init__(self, layout: RoomsLayout) -> None:
        self.layout = layout
        self.pose = layout.start
        """Where the agent is."""

    def move(self, word: str) -> None:
        """`left` and `right` turn by a right angle, `forward` goes a metre, which must be free."""
        if word == "forward":
            self.pose = Pose(cell=ahead(self.pose), heading=self.pose.heading)
        else:
            self.pose = Pose(cell=self.pose.cell, heading=(self.pose.heading + (1 if word == "right" else -1)) % len(DIRECTIONS))

    def cells_in_view(self) -> dict[Cell, tuple[int, int]]:
        """Cells in the camera's field that no wall hides, by their metres ahead of the agent and to its right."""
        (right, down), (column, row) = DIRECTIONS[self.pose.heading], self.pose.cell
        found = {}
        for forward in range(1, SIZE):
            for side in range(-math.floor(FIELD * forward), math.floor(FIELD * forward) + 1):
                cell = (column + forward * right - side * down, row + forward * down + side * right)
                if in_sight(self.layout.grid_map, self.pose.cell, cell):
                    found[cell] = forward, side
        return found


def make_layout(scene: int) -> RoomsLayout:
    """The scene of a number; the same for the same number."""
    rng, step = random.Random(f"rooms/{scene}"), ROOM + GAP
    openings: set[Cell] = set()
    for index in range(ROOMS):
        openings.add((ROOM, index * step + rng.randrange(1, ROOM - 1)))
        openings.add((index * step + rng.randrange(1, ROOM - 1), ROOM))
    floor = {(column, row) for row in range(SIZE) for column in range(SIZE) if column % step < ROOM and row % step < ROOM}
    # Objects stand away from walls, so that none closes an opening.
    inner = sorted(cell for cell in floor if all(1 <= value % step < ROOM - 1 for value in cell))
    *places, start = rng.sample(inner, OBJECTS + 1)
    objects = dict(zip(places, rng.sample(CATEGORIES_3D, OBJECTS), strict=True))
    free = frozenset(floor | openings) - frozenset(objects)
    grid_map = GridMap(free=free, closed=frozenset(), objects=objects)
    return RoomsLayout(scene=scene, grid_map=grid_map, openings=frozenset(openings), start=Pose(cell=start, heading=rng.randrange(4)))


def ahead(pose: Pose) -> Cell:
    """The cell before an agent."""
    column, row = DIRECTIONS[pose.heading]
    return pose.cell[0] + column, pose.cell[1] + row


def in_sight(grid_map: GridMap, start: Cell, cell: Cell) -> bool:
    """Whether the straight line to a cell passes over floor and objects alone; a wall at its end is seen itself."""
    free, objects = grid_map.free, grid_map.objects
    for column, row in _passed(cell[0] - start[0], cell[1] - start[1]):
        passed = start[0] + column, start[1] + row
        if passed not in free and passed not in objects:
            return False
    return True


@cache
def _passed(columns: int, rows: int) -> tuple[Cell, ...]:
    """Cells that the line to a cell so many columns and rows away passes over, from where it begins; the nearest first."""
    steps = _SAMPLES * max(abs(columns), abs(rows))
    found: dict[Cell, None] = {}
    for number in range(1, steps):
        column, row = columns * number / steps, rows * number / steps
        # A line along an edge or through a corner passes over all cells that meet there.
        found.update(dict.fromkeys((math.floor(column + x), math.floor(row + y)) for x in _EDGE for y in _EDGE))
    found.pop((columns, rows), None)
    return tuple(found)


def take_picture(world: RoomsWorld) -> Array:
    """Colours and metres: `(HEIGHT, WIDTH, 4)`, float32, red, green and blue from 0 to 1 and the depth.

    Raises `PackageMissing` without MiniWorld, `NoRenderer` where nothing can be drawn, or not within `RENDER_SECONDS`.
    """
    require("miniworld")
    layout, pose = world.layout, world.pose
    future: Future[Array] = _thread().submit(lambda: _draw(layout, pose))
    try:
        return future.result(RENDER_SECONDS)
    except TimeoutError:
        raise NoRenderer(f"the renderer gave no picture within {RENDER_SECONDS:g} seconds; look at the machine's OpenGL") from None


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="lifelong-renderer")


def _draw(layout: RoomsLayout, pose: Pose) -> Array:
    camera = _camera()
    if camera.layout != layout:
        camera.layout = layout
        camera.reset(seed=0)
    camera.agent.pos, camera.agent.dir = _position(pose.cell), _direction(pose.heading)
    colours, depth = camera.render_obs(), camera.render_depth()
    return np.concatenate([colours.astype(np.float32) / 255, depth.astype(np.float32)], axis=-1)


def _position(cell: Cell) -> Array:
    return np.array([cell[0] + 0.5, 0.0, cell[1] + 0.5])


def _direction(heading: int) -> float:
    # MiniWorld's angle grows from x against z; headings turn from columns towards rows.
    return -heading * math.pi / 2


@cache
def _camera() -> Any:
    """The one camera of this process; made and used in the renderer's thread."""
    try:
        # Read when pyglet is imported first.
        os.environ.setdefault("PYGLET_HEADLESS", "1")
        # It reports its choice of samples on standard output.
        with contextlib.redirect_stdout(io.StringIO()):
            return _camera_class()()
    except Exception as error:  # pyglet and OpenGL raise what they like
        reason = f"{type(error).__name__}: {error}"[:200]
        advice = "install EGL and a driver of Mesa (in Debian libegl1, libgl1-mesa-dri and libglu1-mesa)"
        raise NoRenderer(f"no picture can be drawn without a display here ({reason}); {advice}") from None


def _camera_class() -> Any:
    from gymnasium import spaces
    from miniworld.entity import MeshEnt
    from miniworld.miniworld import MiniWorldEnv

    class Camera(MiniWorldEnv):  # type: ignore[misc]  # MiniWorld has no types
        """Builds the rooms of a layout, which is set before `reset`."""

        def __init__(self) -> None:
            self.layout = make_layout(0)
            super().__init__(max_episode_steps=2**31, obs_width=WIDTH, obs_height=HEIGHT)
            self.action_space = spaces.Discrete(3)

        def _gen_world(self) -> None:
            rng, step = random.Random(f"looks/{self.layout.scene}"), ROOM + GAP
            rooms = {}
            for column in range(ROOMS):
                for row in range(ROOMS):
                    x, z, looks = column * step, row * step, (rng.choice(_WALLS), rng.choice(_FLOORS))
                    rooms[column, row] = self.add_rect_room(
                        min_x=x, max_x=x + ROOM, min_z=z, max_z=z + ROOM, wall_tex=looks[0], floor_tex=looks[1]
                    )
            for column, row in self.layout.openings:
                if column == ROOM:
                    index = row // step
                    self.connect_rooms(rooms[0, index], rooms[1, index], min_z=row, max_z=row + 1, max_y=2.2)
                else:
                    index = column // step
                    self.connect_rooms(rooms[index, 0], rooms[index, 1], min_x=column, max_x=column + 1, max_y=2.2)
            for cell, name in self.layout.grid_map.objects.items():
                self.place_entity(MeshEnt(*MESHES[name]), pos=_position(cell), dir=rng.uniform(-math.pi, math.pi))
            start = self.layout.start
            self.place_entity(self.agent, pos=_position(start.cell), dir=_direction(start.heading))

    return Camera
