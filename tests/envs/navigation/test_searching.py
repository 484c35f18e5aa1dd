"""The expert that searches knows only what it has seen."""

from __future__ import annotations

import pytest

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.paths import GoalUnreachable, GridMap, Pose
from lifelong.envs.navigation.scenes import cells_in_view, make_world, read_map
from lifelong.envs.navigation.searching import searching_action

ROW = GridMap(free=frozenset((column, 0) for column in range(5)), closed=frozenset(), objects={(5, 0): "red ball"})
"""Five free cells in a row, a ball at the right end."""
WALLS = frozenset((column, row) for column in range(-1, 6) for row in (-1, 1)) | {(-1, 0)}


def test_a_goal_that_was_seen_is_gone_to() -> None:
    everything = ROW.free | WALLS | {(5, 0)}
    assert searching_action(ROW, Pose(cell=(0, 0), heading=0), "red ball", everything) == "forward"
    assert searching_action(ROW, Pose(cell=(4, 0), heading=0), "red ball", everything) == "stop"


def test_what_was_not_seen_is_looked_for_and_the_map_does_not_tell() -> None:
    seen = {(1, 0), (2, 0)} | WALLS
    # The ball lies to the right; the nearest place not seen is on the left, and nothing else is known.
    assert searching_action(ROW, Pose(cell=(1, 0), heading=0), "red ball", seen) == "right"
    assert searching_action(ROW, Pose(cell=(1, 0), heading=1), "red ball", seen) == "right"
    assert searching_action(ROW, Pose(cell=(1, 0), heading=3), "red ball", seen) == "left"
    assert searching_action(ROW, Pose(cell=(2, 0), heading=0), "red ball", seen | {(0, 0)}) == "right"  # looks at what it stands beside


def test_a_search_without_end_is_named() -> None:
    with pytest.raises(GoalUnreachable, match=r"all that can be reached from .* was seen, and no blue key in reach"):
        searching_action(ROW, Pose(cell=(0, 0), heading=0), "blue key", ROW.free | WALLS | {(5, 0)})


def test_cells_in_view_are_few_at_first_and_hold_the_agents_own() -> None:
    world = make_world(3)
    seen = cells_in_view(world)
    assert tuple(world.agent_pos) in seen
    assert 4 < len(seen) < world.width * world.height
    assert seen & read_map(world).free


def test_it_finds_every_goal_in_time() -> None:
    environment = ObjectNavGridEnvironment()
    for task in environment.tasks("train", 20, seed=4):
        environment.reset(options={"task": task})
        seen: set[tuple[int, int]] = set()
        terminated = truncated = False
        while not (terminated or truncated):
            sizes = len(seen)
            _, _, terminated, truncated, info = environment.step(environment.search(seen))
            assert len(seen) >= sizes
        assert info["success"]
