"""Every method behind the same interface: what it keeps, that it changes nothing, and that it holds what was learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.scenes import STAGES
from lifelong.learners.navigation.methods import METHODS
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.learners.navigation.retention import ElasticWeights, imitation_of, kept_steps
from lifelong.learners.navigation.trajectories import Trajectory, record, whole

QUICK = NavigatorSettings(epochs=2, batch=4)
VIEW_BYTES = 7 * 7 * 3 + 1 + 1 + 2
"""Of one step: what was seen, the action before, the action, its weight."""


@pytest.fixture(scope="module")
def stages() -> list[list[Trajectory]]:
    return [record(one, one.tasks("train", 8)) for one in map(ObjectNavGridEnvironment, STAGES[:2])]


def taught(method: str, stages: list[list[Trajectory]], *, max_bytes: int = 2000, settings: NavigatorSettings = QUICK) -> Navigator:
    navigator = Navigator(method=method, width=16, max_bytes=max_bytes, settings=settings)
    for trajectories in stages:
        navigator = navigator.learn(trajectories)
    return navigator


@pytest.mark.parametrize("method", METHODS)
def test_learning_is_repeatable_and_changes_nothing(method: str, stages: list[list[Trajectory]]) -> None:
    first = taught(method, stages[:1])
    kept, weights = first.nbytes, [one.detach().clone() for one in first.network.parameters()]
    second, again = first.learn(stages[1]), first.learn(stages[1])
    assert all(torch.equal(one, other) for one, other in zip(second.network.parameters(), again.network.parameters(), strict=True))
    assert all(torch.equal(one, other) for one, other in zip(first.network.parameters(), weights, strict=True))
    assert first.nbytes == kept
    assert second.nbytes == again.nbytes
    assert second.taught[: len(first.taught)] == first.taught


def test_each_states_the_bytes_that_it_keeps(stages: list[list[Trajectory]]) -> None:
    steps = sum(len(one.actions) for block in stages for one in block)
    weights = sum(one.nbytes for one in Navigator(width=16).network.parameters())
    sizes = {name: taught(name, stages).nbytes for name in METHODS}
    for name in ("fine_tuning", "lwf", "cnav_without_replay"):
        assert sizes[name] == 0
    assert sizes["joint"] == sizes["data_replay"] == steps * VIEW_BYTES
    assert sizes["ewc"] == weights
    assert 0.4 < sizes["data_replay_half"] / sizes["data_replay"] <= 0.5
    bounded = ("data_replay_same_bytes", "random_feature_replay", "lifelong_cnav", "cnav_without_distillation", "cnav_uniform")
    assert all(0 < sizes[name] <= 2000 for name in bounded)


@pytest.mark.parametrize("method", ["data_replay", "lifelong_cnav", "joint"])
def test_what_is_kept_of_a_category_can_be_dropped(method: str, stages: list[list[Trajectory]]) -> None:
    navigator = taught(method, stages[:1], max_bytes=10**6)
    left = navigator
    for category in STAGES[0]:
        left = left.forget(category)
    assert left.nbytes == 0 < navigator.nbytes


@pytest.mark.parametrize("method", ["lwf", "data_replay", "data_replay_half", "lifelong_cnav", "joint"])
def test_less_of_the_first_stage_is_lost_than_by_fine_tuning(method: str, stages: list[list[Trajectory]]) -> None:
    """Imitation on the first stage's episodes, after a second stage."""
    settings = NavigatorSettings(epochs=30, batch=8)

    def loss_on_the_first(name: str) -> float:
        learned = taught(name, stages, max_bytes=10**6, settings=settings)
        with torch.no_grad():
            return float(imitation_of(learned.network, whole(stages[0], settings.inflection)))

    assert loss_on_the_first(method) < loss_on_the_first("fine_tuning")


def test_elastic_weights_pull_back_what_mattered(stages: list[list[Trajectory]]) -> None:
    navigator = taught("ewc", stages[:1])
    [part] = navigator.parts
    assert isinstance(part, ElasticWeights)
    moved, near = (Navigator(method="ewc", width=16, settings=NavigatorSettings(epochs=2, batch=4)).learn(stages[0]) for _ in range(2))
    near.parts = (ElasticWeights(weight=1e6, fisher=part.fisher),)
    moved.parts = (ElasticWeights(weight=0.0, fisher=part.fisher),)

    def distance(start: Navigator) -> float:
        pairs = zip(start.learn(stages[1]).network.parameters(), start.network.parameters(), part.fisher, strict=True)
        return sum(float((mattered * (now - then).square()).sum().detach()) for now, then, mattered in pairs)

    assert distance(near) < distance(moved) / 3


def test_steps_are_kept_in_order_and_in_their_share() -> None:
    features, rng = np.random.default_rng(0).normal(size=(12, 3)), np.random.default_rng(1)
    assert kept_steps("uniform", features, 0.25, 10, rng).tolist() == [0, 4, 8]
    drawn = kept_steps("random", features, 0.25, 10, rng)
    assert len(drawn) == 3
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert len(kept_steps("adaptive", features, 0.25, 10, rng)) <= 3
