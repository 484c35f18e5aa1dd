"""Distances and shortest paths on a grid with doors, as pure functions."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...core.errors import LifelongError

Cell = tuple[int, int]
"""Column and row, from the upper left corner."""
DIRECTIONS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Steps in column and row for the headings 0 to 3: right, down, left, up, as MiniGrid numbers them."""

_State = tuple[Cell, int]
"""A cell and a heading."""


class GoalAbsent(LifelongError, LookupError):
    """The scene holds no object of the category that is looked for."""


class GoalUnreachable(LifelongError, ValueError):
    """No path leads to an object of the category that is looked for."""


@dataclass(frozen=True, kw_only=True)
class GridMap:
    """A scene from above."""

    free: frozenset[Cell]
    """Cells that can be walked on, doors that are not locked among them."""
    closed: frozenset[Cell]
    """Those of them that are closed doors; opening one is an action."""
    objects: Mapping[Cell, str]
    """Category of the object in a cell; no cell of `free`."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where an agent is and where it looks."""

    cell: Cell
    """Its cell."""
    heading: int
    """Index into `DIRECTIONS`."""


def goal_distances(grid_map: GridMap, category: str) -> dict[Cell, int]:
    """Moves from every cell to the nearest object of a category; 1 beside it. Cells without a path are left out. Raises `GoalAbsent`."""
    found = {cell: 0 for cell, name in grid_map.objects.items() if name == category}
    if not found:
        raise GoalAbsent(f"the scene holds no {category}; it holds: {', '.join(sorted(set(grid_map.objects.values()))) or 'nothing'}")
    waiting = deque(found)
    while waiting:
        cell = waiting.popleft()
        for other in _beside(cell):
            if other in grid_map.free and other not in found:
                found[other] = found[cell] + 1
                waiting.append(other)
    return {cell: distance for cell, distance in found.items() if distance}


def shortest_plan(grid_map: GridMap, start: Pose, category: str, *, radius: int = 1) -> tuple[str, ...]:
    """The actions that lead within `radius` moves of the nearest object of a category, and `stop`.

    Fewest moves, and among those fewest actions (turns and doors); Dijkstra 1959 over cells and headings. It visits each state at
    most once, so its time is bounded by the size of the map. Raises `GoalAbsent`, `GoalUnreachable`.
    """
    distances = goal_distances(grid_map, category)
    if start.cell not in distances:
        raise GoalUnreachable(f"no path leads from {start.cell} to a {category}; choose another scene or category")
    came: dict[_State, tuple[_State, tuple[str, ...]]] = {}
    first: _State = (start.cell, start.heading)
    waiting: list[tuple[int, int, _State, _State, tuple[str, ...]]] = [(0, 0, first, first, ())]
    while waiting:
        moves, actions, state, before, words = heapq.heappop(waiting)
        if state in came:
            continue
        came[state] = before, words
        if distances[state[0]] <= radius:
            return (*_traced(came, first, state), "stop")
        for following, words in _steps(grid_map, state):
            moved = moves + (following[0] != state[0])
            heapq.heappush(waiting, (moved, actions + len(words), following, state, words))
    raise GoalUnreachable(f"no path leads from {start.cell} to within {radius} moves of a {category}; allow a larger radius")


def _steps(grid_map: GridMap, state: _State) -> Iterator[tuple[_State, tuple[str, ...]]]:
    cell, heading = state
    yield (cell, (heading - 1) % 4), ("left",)
    yield (cell, (heading + 1) % 4), ("right",)
    ahead = (cell[0] + DIRECTIONS[heading][0], cell[1] + DIRECTIONS[heading][1])
    if ahead in grid_map.free:
        yield (ahead, heading), ("open", "forward") if ahead in grid_map.closed else ("forward",)


def _traced(came: Mapping[_State, tuple[_State, tuple[str, ...]]], first: _State, state: _State) -> list[str]:
    """The actions that led from one state to another, first to last."""
    words: list[str] = []
    while state != first:
        state, last = came[state]
        words[:0] = last
    return words


def _beside(cell: Cell) -> Iterator[Cell]:
    for column, row in DIRECTIONS:
        yield cell[0] + column, cell[1] + row
