"""What the expert's episodes hold, and as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.scenes import CATEGORIES, STAGES
from lifelong.learners.navigation.trajectories import ACTIONS, Trajectory, record, shuffled, whole


@pytest.fixture(scope="module")
def environment() -> ObjectNavGridEnvironment:
    return ObjectNavGridEnvironment(STAGES[0])


@pytest.fixture(scope="module")
def trajectories(environment: ObjectNavGridEnvironment) -> list[Trajectory]:
    return record(environment, environment.tasks("train", 5))


def test_what_is_recorded_is_what_the_expert_saw_and_did(environment: ObjectNavGridEnvironment, trajectories: list[Trajectory]) -> None:
    task, seen = environment.tasks("train", 1)[0], set[tuple[int, int]]()
    environment.reset(options={"task": task})
    for number in trajectories[0].actions:
        assert ACTIONS[number] == environment.search(seen)
        info = environment.step(ACTIONS[number])[4]
    assert info["success"]
    assert trajectories[0].last.tolist() == [len(ACTIONS), *trajectories[0].actions[:-1]]
    assert trajectories[0].views.shape == (len(trajectories[0].actions), 7, 7, 3)
    assert all(one.category in STAGES[0] for one in trajectories)


def test_a_batch_fills_shorter_episodes_up(trajectories: list[Trajectory]) -> None:
    batch = whole(trajectories, 3.0)
    lengths = [len(one.actions) for one in trajectories]
    assert batch.valid.sum(1).tolist() == lengths
    assert batch.views.shape == (5, max(lengths), 7, 7, 3)
    assert batch.goals.tolist() == [CATEGORIES.index(one.category) for one in trajectories]
    assert batch.last[:, 0].tolist() == [len(ACTIONS)] * 5
    assert torch.equal(batch.last[0, 1 : lengths[0]], batch.actions[0, : lengths[0] - 1])
    assert set(batch.weights[batch.valid > 0].tolist()) == {1.0, 3.0}


def test_every_episode_comes_once_in_a_pass(trajectories: list[Trajectory]) -> None:
    batches = list(shuffled(trajectories, 2, np.random.default_rng(0)))
    assert [len(one) for one in batches] == [2, 2, 1]
    assert {id(one) for block in batches for one in block} == {id(one) for one in trajectories}


def test_where_another_moved_the_last_action_is_what_was_done() -> None:
    views, expert, done = np.zeros((3, 7, 7, 3), np.uint8), np.array([2, 2, 4]), np.array([0, 1, 4])
    assert Trajectory(category="red ball", views=views, actions=expert, taken=done).last.tolist() == [len(ACTIONS), 0, 1]
