"""A scene from above as text, for terminals and reports."""

from __future__ import annotations

from collections.abc import Collection

from .paths import Cell, GridMap, Pose

AGENT = ">v<^"
"""The agent, by its heading."""
GOAL, TRAIL, FLOOR, WALL, DOOR = "*", "o", ".", "#", "+"
LETTERS = {"ball": "b", "box": "x", "key": "k"}
LEGEND = f"{GOAL} goal  b ball  x box  k key  {DOOR} closed door  {TRAIL} where the agent was"


def draw_map(grid_map: GridMap, pose: Pose, category: str, trail: Collection[Cell] = ()) -> str:
    """A line a row of cells; the map's outer wall is where neither floor nor objects are."""
    cells = [*grid_map.free, *grid_map.objects, pose.cell]
    columns, rows = max(column for column, _ in cells) + 2, max(row for _, row in cells) + 2

    def character(cell: Cell) -> str:
        if cell == pose.cell:
            return AGENT[pose.heading]
        if cell in grid_map.objects:
            name = grid_map.objects[cell]
            return GOAL if name == category else LETTERS[name.split()[-1]]
        if cell in grid_map.closed:
            return DOOR
        if cell in trail:
            return TRAIL
        return FLOOR if cell in grid_map.free else WALL

    return "\n".join("".join(character((column, row)) for column in range(columns)) for row in range(rows))
