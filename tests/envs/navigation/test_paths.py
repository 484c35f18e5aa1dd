"""Distances and plans on maps drawn by hand."""

from __future__ import annotations

import pytest

from lifelong.envs.navigation.paths import GoalAbsent, GoalUnreachable, GridMap, Pose, goal_distances, shortest_plan


def drawn(*rows: str) -> tuple[GridMap, Pose]:
    """A map from a picture: `#` wall, `D` a closed door, `>` the agent, looking right, `b` a red ball, `k` a blue key."""
    cells = {(column, row): mark for row, line in enumerate(rows) for column, mark in enumerate(line)}
    [start] = [cell for cell, mark in cells.items() if mark == ">"]
    names = {"b": "red ball", "k": "blue key"}
    grid_map = GridMap(
        free=frozenset(cell for cell, mark in cells.items() if mark in " D>"),
        closed=frozenset(cell for cell, mark in cells.items() if mark == "D"),
        objects={cell: names[mark] for cell, mark in cells.items() if mark in names},
    )
    return grid_map, Pose(cell=start, heading=0)


def test_a_plan_opens_doors_and_stops_beside_the_goal() -> None:
    assert shortest_plan(*drawn("#######", "#> D b#", "#######"), "red ball") == (
        "forward",
        "open",
        "forward",
        "forward",
        "stop",
    )


def test_fewest_moves_come_first_then_fewest_turns() -> None:
    grid_map, pose = drawn("######", "#>  k#", "#    #", "#   b#", "######")
    assert shortest_plan(grid_map, pose, "blue key") == ("forward", "forward", "stop")
    plan = shortest_plan(grid_map, pose, "red ball")
    assert (plan.count("forward"), len(plan)) == (4, 6)


def test_distances_go_around_walls_and_objects() -> None:
    grid_map, _ = drawn("#####", "#>#b#", "# # #", "#   #", "#####")
    distances = goal_distances(grid_map, "red ball")
    assert (distances[1, 1], distances[3, 2], distances[2, 3]) == (6, 1, 3)
    assert (2, 1) not in distances


def test_a_larger_radius_stops_earlier() -> None:
    grid_map, pose = drawn("#######", "#>   b#", "#######")
    assert shortest_plan(grid_map, pose, "red ball", radius=3) == ("forward", "stop")
    assert shortest_plan(grid_map, pose, "red ball", radius=4) == ("stop",)


def test_a_goal_that_is_absent_and_one_behind_a_wall_are_named() -> None:
    grid_map, pose = drawn("#####", "#>#b#", "#####")
    with pytest.raises(GoalAbsent, match="holds no blue key; it holds: red ball"):
        shortest_plan(grid_map, pose, "blue key")
    with pytest.raises(GoalUnreachable, match=r"no path leads from \(1, 1\) to a red ball"):
        shortest_plan(grid_map, pose, "red ball")
    grid_map, pose = drawn("####", "#>b#", "####")
    with pytest.raises(GoalUnreachable, match="to within 0 moves of a red ball; allow a larger radius"):
        shortest_plan(grid_map, pose, "red ball", radius=0)
