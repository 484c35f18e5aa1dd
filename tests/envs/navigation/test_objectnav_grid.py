"""Object navigation: splits, success, measures, payloads, and every way in which a goal cannot be had."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lifelong.checks import check_environment
from lifelong.core import MalformedTask
from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation import objectnav_grid
from lifelong.envs.navigation.objectnav_grid import ExpertFailed, NavigationMeasures, is_fair
from lifelong.envs.navigation.paths import GoalAbsent, GoalUnreachable, goal_distances, shortest_plan
from lifelong.envs.navigation.scenes import CATEGORIES, SCENE_SPLITS, STAGES, make_world, read_map, read_pose, scene_split
from lifelong.envs.navigation.streams import no_reset_tasks
from lifelong.metrics import success_weighted_path_length


@pytest.fixture(scope="module")
def environment() -> ObjectNavGridEnvironment:
    return ObjectNavGridEnvironment()


def scene_of(task_id: str) -> int:
    return int(task_id.rpartition("-")[2])


def test_no_scene_and_no_text_is_in_two_splits_under_any_seed(environment: ObjectNavGridEnvironment) -> None:
    tasks = {split: [task for seed in range(2) for task in environment.tasks(split, 10, seed=seed)] for split in SCENE_SPLITS}
    for one, other in itertools.combinations(SCENE_SPLITS, 2):
        assert not {scene_of(task.id) for task in tasks[one]} & {scene_of(task.id) for task in tasks[other]}
        assert not {task.text for task in tasks[one]} & {task.text for task in tasks[other]}
    assert all(scene_split(scene_of(task.id)) == split for split in SCENE_SPLITS for task in tasks[split])


def test_validation_scenes_keep_the_contract_too(environment: ObjectNavGridEnvironment) -> None:
    [task] = environment.tasks("validation", 1)
    demonstration = environment.demonstrate(task)
    observation, _ = environment.reset(options={"task": task})
    assert observation == demonstration.observations[0] == task.text


def test_a_stage_looks_for_its_categories_alone() -> None:
    stage = ObjectNavGridEnvironment(STAGES[2])
    goals = {task.goal for task in stage.tasks("train", 12)}
    assert goals <= {f"Mission: find the {name}." for name in STAGES[2]}
    assert len(goals) > 1
    check_environment(stage, count=1)


def test_the_expert_takes_the_shortest_path(environment: ObjectNavGridEnvironment) -> None:
    measured: list[NavigationMeasures] = []
    for task in environment.tasks("train", 10):
        environment.reset(options={"task": task})
        for action in environment.demonstrate(task).actions:
            info = environment.step(action)[4]
        assert info["success"]
        measured.append(info["navigation"])
    assert all(one.distance == 0 and one.shortest == one.taken and one.taken >= 2 for one in measured)
    spl = success_weighted_path_length([True] * 10, [one.shortest or 0 for one in measured], [one.taken for one in measured])
    assert spl == 1.0


def test_stopping_elsewhere_ends_the_episode_without_success(environment: ObjectNavGridEnvironment) -> None:
    [task] = environment.tasks("train", 1)
    environment.reset(options={"task": task})
    text, reward, terminated, truncated, info = environment.step(" Stop. ")
    assert (reward, terminated, truncated, info["success"], info["error"]) == (0.0, True, False, False, False)
    assert text.endswith("is not beside you.")
    assert environment.admissible() == ()


def test_the_distance_shrinks_by_the_moves_of_the_plan(environment: ObjectNavGridEnvironment) -> None:
    [task] = environment.tasks("train", 1, seed=5)
    _, info = environment.reset(options={"task": task})
    start = info["navigation"].distance
    assert start == info["navigation"].shortest
    for action in environment.plan():
        info = environment.step(action)[4]
        assert info["navigation"].distance == start - info["navigation"].taken


def test_the_picture_is_a_payload_by_reference_and_the_text_says_what_it_shows(environment: ObjectNavGridEnvironment) -> None:
    text, info = environment.reset(options={"task": environment.tasks("train", 1)[0]})
    picture = environment.payload(info["view"])
    assert picture.shape == info["view"].shape == (7, 7, 3)
    assert info["view"].dtype == "uint8"
    turned = [environment.step("left") for _ in range(4)][-1]
    assert turned[4]["view"] == info["view"]
    assert turned[0] == f"You did: left. {text.splitlines()[0]}"


def test_refused_actions_name_the_choices(environment: ObjectNavGridEnvironment) -> None:
    environment.reset(seed=0)
    observation, _, _, _, info = environment.step("fly")
    assert observation == f"Error: choose one of: {', '.join(environment.admissible())}."
    assert info["error"]


def test_a_random_walk_never_leaves_the_admissible_actions_without_effect(environment: ObjectNavGridEnvironment) -> None:
    rng = random.Random(0)
    for task in environment.tasks("train", 5):
        environment.reset(options={"task": task})
        for _ in range(environment.max_steps):
            before = environment.payload(environment._extras()["view"]).tobytes(), environment._taken
            action = rng.choice([word for word in environment.admissible() if word != "stop"])
            _, _, terminated, truncated, info = environment.step(action)
            assert not info["error"]
            if action in ("forward", "open"):
                assert (environment.payload(info["view"]).tobytes(), environment._taken) != before
        assert (terminated, truncated) == (False, True)


def absent_task(environment: ObjectNavGridEnvironment, scene: int = 3):
    held = set(read_map(make_world(scene)).objects.values())
    return environment.task(next(name for name in CATEGORIES if name not in held), scene)


def test_an_absent_goal_is_an_episode_that_cannot_succeed(environment: ObjectNavGridEnvironment) -> None:
    task = absent_task(environment)
    with pytest.raises(GoalAbsent, match="the scene holds no "):
        environment.demonstrate(task)
    _, info = environment.reset(options={"task": task})
    assert (info["navigation"].shortest, info["navigation"].distance) == (None, None)
    with pytest.raises(GoalAbsent, match="the scene holds no "):
        environment.plan()
    assert environment.step("stop")[4]["success"] is False


def test_an_unreachable_goal_is_named_and_cannot_be_found(environment: ObjectNavGridEnvironment) -> None:
    scenes = ((scene, read_map(world), read_pose(world).cell) for scene in range(100) for world in [make_world(scene)])
    shut = next(
        (name, scene) for scene, found, cell in scenes for name in found.objects.values() if cell not in goal_distances(found, name)
    )
    task = environment.task(*shut)
    with pytest.raises(GoalUnreachable, match=f"no path leads from .* to a {shut[0]}"):
        environment.demonstrate(task)
    _, info = environment.reset(options={"task": task})
    assert (info["navigation"].shortest, info["navigation"].distance) == (None, None)
    assert environment.step("stop")[4]["success"] is False
    assert not is_fair(make_world(shut[1]), shut[0])


def test_an_unreachable_category_ends_the_drawing(environment: ObjectNavGridEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objectnav_grid, "MAX_DRAWS", 5)
    monkeypatch.setattr(objectnav_grid, "is_fair", lambda world, category: False)
    with pytest.raises(GoalAbsent, match="no scene among 5 held a "):
        environment.tasks("train", 1)


def test_an_expert_that_hangs_is_left_behind_in_time() -> None:
    ended = threading.Event()

    def hangs(grid_map, pose, category):
        ended.wait(30)
        return ()

    slow = ObjectNavGridEnvironment(expert=hangs, expert_seconds=0.05)
    [task] = slow.tasks("train", 1)
    with pytest.raises(ExpertFailed, match=r"the expert gave no plan within 0\.05 seconds"):
        slow.demonstrate(task)
    ended.set()
    slow.reset(options={"task": task})
    assert not slow.step("left")[4]["error"]


def test_a_plan_without_an_end_and_one_that_errs_are_named() -> None:
    def endless(grid_map, pose, category) -> Iterator[str]:
        return itertools.repeat("left")

    def early(grid_map, pose, category):
        return ("stop", "stop")

    def refused(grid_map, pose, category):
        return ("fly", "stop")

    for expert in (endless, early, refused):
        environment = ObjectNavGridEnvironment(expert=expert)
        [task] = environment.tasks("train", 1)
        with pytest.raises(ExpertFailed, match="does not end beside the goal"):
            environment.spawn().demonstrate(task)


def test_what_the_expert_raises_is_raised(environment: ObjectNavGridEnvironment) -> None:
    def broken(grid_map, pose, category):
        raise ZeroDivisionError("no way")

    with pytest.raises(ZeroDivisionError, match="no way"):
        ObjectNavGridEnvironment(expert=broken).demonstrate(environment.tasks("train", 1)[0])


def test_without_a_reset_the_agent_stays_where_it_is(environment: ObjectNavGridEnvironment) -> None:
    [(first, second)] = no_reset_tasks(environment, "train", scenes=1, goals=2)
    environment.reset(options={"task": first})
    for action in environment.plan():
        ended = environment.step(action)
    doors = read_map(environment._world).closed
    text, info = environment.reset(options={"task": second, "keep_position": True})
    assert text.endswith(f"\n{second.goal}")
    assert text != second.text
    assert info["view"] == ended[4]["view"]
    assert read_map(environment._world).closed == doors
    assert info["navigation"].taken == 0
    for action in environment.plan():
        info = environment.step(action)[4]
    assert info["success"]
    with pytest.raises(MalformedTask, match="keep_position goes on in the scene under way"):
        environment.reset(options={"task": absent_task(environment, scene_of(first.id) + 3), "keep_position": True})


def test_what_is_no_task_is_refused(environment: ObjectNavGridEnvironment) -> None:
    [task] = environment.tasks("train", 1)
    scene = scene_of(task.id)
    for wrong in (
        task.id.replace("train", "test"),
        f"{task.id}x",
        task.id.replace(str(scene), str(scene + 2**31)),
        "objectnav-grid-train-0-1",
    ):
        with pytest.raises(MalformedTask, match="is not one of 'objectnav-grid-v1'"):
            environment.reset(options={"task": replace(task, id=wrong)})
    for category, number in (("red door", 3), ("red ball", -1), ("red ball", 2**30)):
        with pytest.raises(ValueError, match="category must be one of CATEGORIES and scene from 0 to"):
            environment.task(category, number)
    for names in (["red door"], []):
        with pytest.raises(ValueError, match="categories must be some of red ball"):
            ObjectNavGridEnvironment(names)


def test_before_a_reset_nothing_is_under_way() -> None:
    with pytest.raises(MalformedTask, match="no scene is under way; call reset first"):
        ObjectNavGridEnvironment().plan()


def test_the_built_in_expert_is_the_default() -> None:
    assert ObjectNavGridEnvironment()._expert is shortest_plan
