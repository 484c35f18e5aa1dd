"""Scenes of several rooms with doors and objects, made with MiniGrid from a number alone.

MiniGrid: Chevalier-Boisvert et al. 2023, "Minigrid & Miniworld", https://arxiv.org/abs/2306.13831.
"""

from __future__ import annotations

import contextlib
import io
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ...core.extras import require
from .paths import Cell, GridMap, Pose

if TYPE_CHECKING:
    from minigrid.core.roomgrid import RoomGrid
    from minigrid.minigrid_env import MiniGridEnv

SceneSplit = Literal["train", "validation", "test"]
"""Scenes to learn from, to choose settings on, and to be scored on; no scene is in two of them."""
SCENE_SPLITS: tuple[SceneSplit, ...] = ("train", "validation", "test")

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
KINDS = ("ball", "box", "key")
CATEGORIES = tuple(f"{COLOURS[i % 6]} {KINDS[(i + i // 6) % 3]}" for i in range(len(COLOURS) * len(KINDS)))
"""Every goal category, colours and kinds mixed, so that each stage has several of both."""
STAGES = tuple(CATEGORIES[first : first + 4] for first in range(0, 16, 4))
"""Goal categories in the order in which they are taught: 4 stages of 4."""
NEVER_TAUGHT = CATEGORIES[16:]
"""Categories that stand in the scenes and are no stage's goal: what an agent should recognise as unknown."""

ROOMS = 2
"""Rows and columns of rooms."""
ROOM_CELLS = 5
"""Cells along a room, its walls included."""
OBJECTS = 6
"""Objects in a scene, all of different categories, spread over the rooms."""
MAX_SCENE = 2**30
"""Numbers of scenes lie below."""


def scene_split(scene: int) -> SceneSplit:
    """The split that a scene belongs to: the remainder of its number by 3."""
    return SCENE_SPLITS[scene % len(SCENE_SPLITS)]


def make_world(scene: int) -> MiniGridEnv:
    """The world of a scene at its start; the same for the same number. Raises `PackageMissing` without MiniGrid."""
    world = _world_class()()
    world.reset(seed=scene)
    return world


def read_map(world: MiniGridEnv) -> GridMap:
    """The world from above, as it stands now."""
    free, closed, objects = set(), set(), {}
    for row in range(world.height):
        for column in range(world.width):
            held: Any = world.grid.get(column, row)
            if held is None or held.can_overlap():
                free.add((column, row))
            elif held.type == "door" and not held.is_locked:
                free.add((column, row))
                closed.add((column, row))
            elif held.type in KINDS:
                objects[column, row] = f"{held.color} {held.type}"
    return GridMap(free=frozenset(free), closed=frozenset(closed), objects=objects)


def read_pose(world: MiniGridEnv) -> Pose:
    """Where the agent is."""
    column, row = world.agent_pos
    return Pose(cell=(int(column), int(row)), heading=int(world.agent_dir))


def cells_in_view(world: MiniGridEnv) -> frozenset[Cell]:
    """The cells that the agent sees from where it stands, its own among them; walls and closed doors hide what is behind them."""
    _, visible = world.gen_obs_grid()
    cells = ((column, row) for row in range(world.height) for column in range(world.width))
    places = ((cell, world.relative_coords(*cell)) for cell in cells)
    return frozenset(cell for cell, place in places if place is not None and visible[place]) | {read_pose(world).cell}


@cache
def _world_class() -> type[RoomGrid]:
    require("minigrid")
    # pygame greets on standard output when it is imported.
    with contextlib.redirect_stdout(io.StringIO()):
        from minigrid.core.mission import MissionSpace
        from minigrid.core.roomgrid import RoomGrid

    class Scene(RoomGrid):
        """Rooms that are all connected by unlocked doors, objects in them, and an agent somewhere."""

        def __init__(self) -> None:
            mission = MissionSpace(mission_func=lambda: "find the object")
            # The episode's length is the environment's business.
            super().__init__(room_size=ROOM_CELLS, num_rows=ROOMS, num_cols=ROOMS, max_steps=2**31, mission_space=mission)

        def _gen_grid(self, width: int, height: int) -> None:
            super()._gen_grid(width, height)  # type: ignore[no-untyped-call]  # MiniGrid declares no types here
            self.mission = "find the object"
            self.connect_all()
            # Spread evenly: a room is never so full that the agent has no place in it.
            chosen = self.np_random.permutation(len(CATEGORIES))[:OBJECTS]
            rooms = self.np_random.permutation(ROOMS * ROOMS)
            for number, index in enumerate(chosen):
                colour, kind = CATEGORIES[index].split()
                row, column = divmod(int(rooms[number % len(rooms)]), ROOMS)
                self.add_object(column, row, kind, colour)
            self.place_agent()

    return Scene
