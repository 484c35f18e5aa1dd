"""A map by hand, and one of a made scene."""

from __future__ import annotations

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.drawing import draw_map
from lifelong.envs.navigation.paths import GridMap, Pose


def test_a_map_by_hand() -> None:
    free = frozenset({(1, 1), (2, 1), (3, 1), (4, 1)})
    grid_map = GridMap(free=free, closed=frozenset({(3, 1)}), objects={(5, 1): "red ball", (1, 2): "grey key", (2, 2): "red box"})
    drawn = draw_map(grid_map, Pose(cell=(2, 1), heading=0), "red ball", trail=[(1, 1)])
    assert drawn.split("\n") == ["#######", "#o>+.*#", "#kx####", "#######"]


def test_a_scene_has_its_agent_and_its_goal() -> None:
    environment = ObjectNavGridEnvironment()
    [task] = environment.tasks("validation", 1)
    environment.reset(options={"task": task})
    grid_map, pose = environment.map()
    drawn = draw_map(grid_map, pose, environment.wanted)
    assert len(set(map(len, drawn.split("\n")))) == 1
    assert sum(drawn.count(character) for character in ">v<^") == 1
    assert drawn.count("*") == 1
    assert drawn.startswith("#" * 9)
