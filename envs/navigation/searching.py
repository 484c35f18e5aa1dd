"""An expert that knows only what it has seen: what one should do to find a goal, and not what one would do who knew where it is."""

from __future__ import annotations

from collections.abc import Set

from .paths import DIRECTIONS, Cell, GoalAbsent, GoalUnreachable, GridMap, Pose, shortest_plan

_UNSEEN = "unseen"
"""Category of a cell that was not seen yet, as a place to go to."""


def searching_action(grid_map: GridMap, pose: Pose, category: str, seen: Set[Cell]) -> str:
    """The next action: to an object of the category where one was seen, else to the nearest place from which more can be seen.

    Of the map, only the cells in `seen` are looked at. A shortest path to a goal that is out of view cannot be learned from what is in
    view, and who imitates it learns to move without a reason; demonstrations by people who search are imitated better (Ramrakhya
    et al. 2022, "Habitat-Web", https://arxiv.org/abs/2204.03514, section 5). Nearest frontier first: Yamauchi 1997, "A Frontier-Based
    Approach for Autonomous Exploration", https://doi.org/10.1109/CIRA.1997.613851. Raises `GoalUnreachable` where everything in reach
    was seen and the goal cannot be reached.
    """
    free = grid_map.free & seen
    found = {cell: name for cell, name in grid_map.objects.items() if cell in seen and name == category}
    unseen = {cell: _UNSEEN for place in free for cell in _beside(place) if cell not in seen}
    for objects, wanted in ((found, category), (unseen, _UNSEEN)):
        try:
            action = shortest_plan(GridMap(free=free, closed=grid_map.closed & free, objects=objects), pose, wanted)[0]
        except (GoalAbsent, GoalUnreachable):
            continue
        # Beside what was not seen yet: it is behind the agent or hidden, so the agent looks around.
        return _turn(pose, seen) if wanted == _UNSEEN and action == "stop" else action
    raise GoalUnreachable(
        f"all that can be reached from {pose.cell} was seen, and no {category} in reach; choose another scene or category"
    )


def _turn(pose: Pose, seen: Set[Cell]) -> str:
    left = DIRECTIONS[(pose.heading - 1) % 4]
    return "right" if (pose.cell[0] + left[0], pose.cell[1] + left[1]) in seen else "left"


def _beside(cell: Cell) -> list[Cell]:
    return [(cell[0] + column, cell[1] + row) for column, row in DIRECTIONS]
