"""Object navigation in rooms that are seen: the tasks of `objectnav_grid`, with pictures and depth in the place of a grid's cells."""

from __future__ import annotations

from typing import Any

from ..payloads import Array
from .objectnav_grid import ObjectNavGridEnvironment
from .paths import Cell, GridMap, Pose, goal_distances, shortest_plan
from .rooms_3d import CATEGORIES_3D, STAGES_3D, RoomsWorld, ahead, make_layout, take_picture

START_DISTANCE = 4
"""Metres between the start and the nearest object of the category, at least."""
MAX_STEPS = 60
EXPERT_STEPS = 30
"""Actions that the expert needs at most in a task: half of what an agent may take."""
_HEADINGS = ("east", "south", "west", "north")


class ObjectNav3DEnvironment(ObjectNavGridEnvironment):
    """Four rooms of 5x5 metres with six objects; turn by a right angle, go a metre, and stop within a metre of the goal.

    The observation is text: objects in view with metres ahead and to either side, whether the way ahead is free, and a compass.
    `info["view"]` names the picture: 60x80 pixels of red, green, blue (0 to 1) and depth in metres, float32, which `payload` returns;
    `info["compass"]` is the heading (0 east, 1 south, 2 west, 3 north), `info["position"]` the metres to the east and south of the
    scene's start. Lengths in `info["navigation"]` are metres. `reset` and `step` raise `PackageMissing` without MiniWorld, `NoRenderer`
    without EGL.
    """

    known = CATEGORIES_3D
    stages = STAGES_3D
    id = "objectnav-3d-v1"
    max_steps = MAX_STEPS
    instructions = "Find the object, go up to it and stop beside it. Answer with one action: left, right, forward or stop."

    def _extras(self) -> dict[str, Any]:
        world: RoomsWorld = self._under_way()
        (column, row), (east, south) = world.pose.cell, world.layout.start.cell
        return {**super()._extras(), "compass": world.pose.heading, "position": (column - east, row - south)}

    def _make_world(self, scene: int) -> RoomsWorld:
        return RoomsWorld(make_layout(scene))

    def _read_map(self, world: RoomsWorld) -> GridMap:
        return world.layout.grid_map

    def _read_pose(self, world: RoomsWorld) -> Pose:
        return world.pose

    def _cells_in_view(self, world: RoomsWorld) -> frozenset[Cell]:
        # What lies right beside the agent was passed or can be felt.
        column, row = world.pose.cell
        beside = {(column + x, row + y) for x, y in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))}
        return frozenset({*world.cells_in_view(), *beside})

    def _picture(self, world: RoomsWorld) -> Array:
        return take_picture(world)

    def _caption(self, world: RoomsWorld) -> str:
        objects = world.layout.grid_map.objects
        seen = sorted((where, objects[cell]) for cell, where in world.cells_in_view().items() if cell in objects)
        way = "free" if "forward" in self._choices(world) else "blocked"
        listed = "; ".join(f"{name} {_place(*where)}" for where, name in seen) or "nothing"
        return f"You see: {listed}. The way ahead is {way}. You look {_HEADINGS[world.pose.heading]}."

    def _choices(self, world: RoomsWorld) -> tuple[str, ...]:
        free = ahead(world.pose) in world.layout.grid_map.free
        return ("left", "right", "forward", "stop") if free else ("left", "right", "stop")

    def _move(self, world: Any, word: str) -> None:
        world.move(word)

    def _is_fair(self, world: RoomsWorld, category: str) -> bool:
        grid_map, pose = world.layout.grid_map, world.pose
        if category not in grid_map.objects.values() or goal_distances(grid_map, category).get(pose.cell, 0) < START_DISTANCE:
            return False
        return len(shortest_plan(grid_map, pose, category)) <= EXPERT_STEPS


def _place(forward: int, right: int) -> str:
    side = f" {abs(right)} m {'right' if right > 0 else 'left'}" if right else ""
    return f"{forward} m ahead{side}"
