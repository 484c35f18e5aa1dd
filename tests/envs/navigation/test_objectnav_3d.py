"""Object navigation in three dimensions: tasks, experts, captions and measures; pictures where the machine draws."""

from __future__ import annotations

import pytest

from lifelong.core import PackageMissing
from lifelong.envs.navigation.objectnav_3d import ObjectNav3DEnvironment
from lifelong.envs.navigation.rooms_3d import HEIGHT, STAGES_3D, WIDTH, NoRenderer, RoomsWorld, make_layout


@pytest.fixture(scope="module")
def environment() -> ObjectNav3DEnvironment:
    found = ObjectNav3DEnvironment(STAGES_3D[0])
    try:
        found.reset(options={"task": found.tasks("validation", 1)[0]})
    except (NoRenderer, PackageMissing) as problem:
        pytest.skip(str(problem))
    return found


def test_splits_share_no_text() -> None:
    found = ObjectNav3DEnvironment()
    texts = [{task.text for task in found.tasks(split, 20)} for split in ("train", "validation", "test")]
    assert all(not a & b for place, a in enumerate(texts) for b in texts[:place])
    of_a_stage = ObjectNav3DEnvironment(STAGES_3D[1]).tasks("train", 20)
    assert {task.goal.removeprefix("Mission: find the ").rstrip(".") for task in of_a_stage} <= set(STAGES_3D[1])


def test_the_expert_succeeds_by_the_shortest_way(environment: ObjectNav3DEnvironment) -> None:
    for task in environment.tasks("train", 5):
        plan = environment.demonstrate(task).actions
        _, info = environment.reset(options={"task": task})
        for action in plan:
            assert not info.get("success")
            _, reward, ended, _, info = environment.step(action)
        assert ended
        assert (reward, info["success"]) == (1.0, True)
        assert info["navigation"].taken == info["navigation"].shortest == plan.count("forward")


def test_a_search_finds_most_goals(environment: ObjectNav3DEnvironment) -> None:
    found = 0
    for task in environment.tasks("train", 10):
        environment.reset(options={"task": task})
        seen: set[tuple[int, int]] = set()
        ended = cut = False
        while not (ended or cut):
            _, _, ended, cut, info = environment.step(environment.search(seen))
        found += info["success"]
    assert found >= 8


def test_the_caption_says_what_the_camera_sees(environment: ObjectNav3DEnvironment) -> None:
    task = environment.tasks("validation", 1)[0]
    text, info = environment.reset(options={"task": task})
    assert "You look " in text
    assert environment.payload(info["view"]).shape == (HEIGHT, WIDTH, 4)
    world = RoomsWorld(make_layout(next(scene for scene in range(100) if sees_one(scene))))
    [(cell, (forward, right))] = [(cell, where) for cell, where in world.cells_in_view().items() if cell in world.layout.grid_map.objects]
    side = f" {abs(right)} m {'right' if right > 0 else 'left'}" if right else ""
    assert environment._caption(world).startswith(f"You see: {world.layout.grid_map.objects[cell]} {forward} m ahead{side}. The way")


def sees_one(scene: int) -> bool:
    world = RoomsWorld(make_layout(scene))
    return sum(cell in world.layout.grid_map.objects for cell in world.cells_in_view()) == 1


def test_what_is_blocked_is_refused(environment: ObjectNav3DEnvironment) -> None:
    environment.reset(options={"task": environment.tasks("validation", 1)[0]})
    while "forward" in environment.admissible():
        environment.step("forward")
    text, reward, ended, _, info = environment.step("forward")
    assert text == "Error: choose one of: left, right, stop."
    assert (reward, ended, info["error"]) == (0.0, False, True)


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match=r"categories must be some of red ball, .*; got purple box"):
        ObjectNav3DEnvironment(["purple box"])


def test_compass_and_position_are_said(environment: ObjectNav3DEnvironment) -> None:
    task = environment.tasks("validation", 1)[0]
    _, info = environment.reset(options={"task": task})
    start = environment.map()[1]
    assert (info["compass"], info["position"]) == (start.heading, (0, 0))
    for action in environment.demonstrate(task).actions[:-1]:
        _, _, _, _, info = environment.step(action)
        pose = environment.map()[1]
        assert info["compass"] == pose.heading
        assert info["position"] == (pose.cell[0] - start.cell[0], pose.cell[1] - start.cell[1])
    assert info["position"] != (0, 0)
