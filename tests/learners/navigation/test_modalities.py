"""What is read of each world, and that a navigator learns and acts in either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lifelong.envs import ObjectNav3DEnvironment, ObjectNavGridEnvironment
from lifelong.envs.navigation.rooms_3d import CATEGORIES_3D, STAGES_3D
from lifelong.envs.navigation.scenes import CATEGORIES
from lifelong.learners.navigation.checkpoints import load_checkpoint, save_checkpoint
from lifelong.learners.navigation.modalities import GOALS, GRID, MODALITIES, begin_sight
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.learners.navigation.trajectories import Trajectory, record

ROOMS = MODALITIES["objectnav-3d"]
SETTINGS = NavigatorSettings(epochs=1, batch=4)


def made(count: int, steps: int = 5) -> list[Trajectory]:
    """Episodes with views of nothing in particular."""
    rng = np.random.default_rng(3)
    return [
        Trajectory(
            category=STAGES_3D[0][number % 4],
            views=rng.integers(0, ROOMS.values, (steps, *ROOMS.shape)).astype(np.uint8),
            actions=rng.integers(0, 3, steps),
        )
        for number in range(count)
    ]


def test_goals_have_one_number_in_every_world() -> None:
    assert GOALS[: len(CATEGORIES)] == CATEGORIES
    assert {GOALS.index(name) for name in CATEGORIES_3D} <= set(range(ROOMS.goals))
    assert len(set(GOALS)) == len(GOALS)
    assert all(modality.environment().name == name for name, modality in MODALITIES.items())


def test_the_grid_is_read_as_it_is() -> None:
    environment = ObjectNavGridEnvironment()
    _, info = environment.reset(options={"task": environment.tasks("validation", 1)[0]})
    assert np.array_equal(begin_sight(environment)(info), environment.look())


@pytest.mark.parametrize("method", ["lifelong_cnav", "data_replay"])
def test_a_navigator_of_rooms_is_kept_and_continued(method: str, tmp_path: Path) -> None:
    navigator = Navigator(method=method, width=16, settings=SETTINGS, world="objectnav-3d").learn(made(8))
    back = load_checkpoint(save_checkpoint(navigator, tmp_path / "one")).navigator
    assert back.world == "objectnav-3d"
    assert back.nbytes == navigator.nbytes > 0
    pairs = zip(back.learn(made(4)).network.parameters(), navigator.learn(made(4)).network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_views_of_another_world_are_refused() -> None:
    navigator = Navigator(width=16, world="objectnav-3d")
    with pytest.raises(ValueError, match=r"views must be \(n, 9, 9, 14\) with values up to 255; got \(1, 7, 7, 3\)"):
        navigator.act(ObjectNavGridEnvironment(), ObjectNavGridEnvironment().tasks("validation", 1))
    with pytest.raises(ValueError, match="world one of objectnav-grid, objectnav-3d; got 'lifelong_cnav', 'maze'"):
        Navigator(world="maze")
    assert Navigator().world == GRID


@pytest.mark.usefixtures("renderer")
def test_a_navigator_acts_in_rooms() -> None:
    environment = ObjectNav3DEnvironment(STAGES_3D[0])
    trajectories = record(environment, environment.tasks("train", 3))
    assert len(trajectories) >= 2
    assert all(one.views.shape[1:] == ROOMS.shape for one in trajectories)
    navigator = Navigator(width=16, settings=SETTINGS, world="objectnav-3d").learn(trajectories)
    tasks = environment.tasks("validation", 2)
    results = navigator.act(environment, tasks)
    assert [one.steps for one in results] == [navigator.act(environment, [task])[0].steps for task in tasks]
    assert all(1 <= one.steps <= environment.max_steps for one in results)
