"""A navigator learns from the expert, keeps features in bounds, changes nothing that it is given, and acts on many episodes at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.scenes import STAGES
from lifelong.envs.navigation.streams import no_reset_tasks
from lifelong.learners.navigation.backbones import BACKBONES
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.learners.navigation.trajectories import ACTIONS, Trajectory, record

QUICK = NavigatorSettings(epochs=2, batch=4)


@pytest.fixture(scope="module")
def environment() -> ObjectNavGridEnvironment:
    return ObjectNavGridEnvironment(STAGES[0])


@pytest.fixture(scope="module")
def trajectories(environment: ObjectNavGridEnvironment) -> list[Trajectory]:
    return record(environment, environment.tasks("train", 8))


def weights(navigator: Navigator) -> torch.Tensor:
    return torch.cat([part.detach().flatten() for part in navigator.network.parameters()])


@pytest.mark.parametrize("backbone", BACKBONES)
def test_learning_is_repeatable_and_leaves_its_input_alone(backbone: str, trajectories: list[Trajectory]) -> None:
    start = Navigator(backbone=backbone, width=16, settings=QUICK)
    before = weights(start)
    first, again = start.learn(trajectories), start.learn(trajectories)
    assert torch.equal(weights(first), weights(again))
    assert torch.equal(weights(start), before)
    assert not torch.equal(weights(first), before)
    assert (start.stages, first.stages, start.nbytes, len(first.parts[1].buffer.episodes)) == (0, 1, 0, 8)


@pytest.mark.slow
def test_the_expert_is_imitated(environment: ObjectNavGridEnvironment, trajectories: list[Trajectory]) -> None:
    learned = Navigator(width=32, settings=NavigatorSettings(epochs=120, batch=8)).learn(trajectories)
    assert learned.losses[-1] < learned.losses[0] / 10
    results = learned.act(environment, environment.tasks("train", 8))
    assert sum(one.success for one in results) >= 7
    assert all(one.measures.taken >= one.measures.shortest for one in results)


def test_acting_on_many_episodes_gives_what_each_gives_alone(environment: ObjectNavGridEnvironment, trajectories: list[Trajectory]) -> None:
    navigator = Navigator(width=16, settings=QUICK).learn(trajectories)
    tasks = environment.tasks("validation", 4)
    assert navigator.act(environment, tasks) == [navigator.act(environment, [task])[0] for task in tasks]
    assert navigator.act(environment, []) == []


def test_the_expert_labels_what_the_navigator_does(environment: ObjectNavGridEnvironment, trajectories: list[Trajectory]) -> None:
    tasks = environment.tasks("train", 3)
    start = Navigator(width=16, settings=QUICK)
    explored = start.explore(environment, tasks)
    for task, one in zip(tasks, explored, strict=True):
        assert one.taken is not None
        assert len(one.views) == len(one.actions) == len(one.taken) <= environment.max_steps
        # The actions taken lead from view to view, and where the expert says stop the episode ends with success.
        _, info = environment.reset(options={"task": task})
        seen: set[tuple[int, int]] = set()
        for view, expert, number in zip(one.views, one.actions, one.taken, strict=True):
            assert np.array_equal(environment.payload(info["view"]), view)
            assert ACTIONS[expert] == environment.search(seen)
            info = environment.step(ACTIONS[number])[4]
        assert info["success"] == (ACTIONS[one.actions[-1]] == "stop")
    assert any((one.actions != one.taken).any() for one in explored)
    learned = start.learn([*trajectories, *explored])
    assert len(learned.parts[1].buffer.episodes) == len(trajectories) + 3


def test_without_resets_each_search_begins_where_the_last_one_ended(trajectories: list[Trajectory]) -> None:
    everywhere = ObjectNavGridEnvironment()
    [chain] = no_reset_tasks(everywhere, "validation", scenes=1, goals=3)
    navigator = Navigator(width=16, settings=QUICK).learn(trajectories)
    anew, carried = (navigator.act_without_reset(everywhere, chain, carry_state=carry) for carry in (False, True))
    first = navigator.act(everywhere, chain[:1])
    assert anew[:1] == carried[:1] == first
    assert [one.measures.category for one in carried] == [task.goal.removeprefix("Mission: find the ").rstrip(".") for task in chain]
    assert navigator.act_without_reset(everywhere, chain) == carried


def test_what_is_kept_is_within_its_bounds_and_holds_no_picture(trajectories: list[Trajectory]) -> None:
    learned = Navigator(width=16, settings=QUICK, max_bytes=400).learn(trajectories)
    assert 0 < learned.nbytes <= 400
    steps = {len(one.actions) for one in trajectories}
    whole = Navigator(width=16, settings=QUICK).learn(trajectories)
    assert all(len(one.actions) <= max(steps) / 2 and one.features.shape[1:] == (16,) for one in whole.parts[1].buffer.episodes)
    assert whole.forget(trajectories[0].category).nbytes < whole.nbytes


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"method must be one of fine_tuning, .*; got 'magic'"):
        Navigator(method="magic")


def test_a_stage_without_trajectories_is_refused() -> None:
    with pytest.raises(ValueError, match="a stage needs at least one trajectory"):
        Navigator(width=8).learn([])


@pytest.mark.parametrize(
    "views", [np.zeros((1, 9, 9, 3), dtype=np.uint8), np.zeros((1, 7, 7), dtype=np.uint8), np.full((1, 7, 7, 3), 200, dtype=np.uint8)]
)
def test_an_observation_of_another_size_is_refused(views: np.ndarray) -> None:
    navigator = Navigator(width=8)
    with pytest.raises(ValueError, match=r"views must be \(n, 7, 7, 3\) with values up to 15; got \(1, "):
        navigator.read(views, ["red ball"], [len(ACTIONS)], navigator.begin(1))
