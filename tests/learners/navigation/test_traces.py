"""A trace holds one row a step, and an episode that was given up did not succeed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.objectnav_grid import NavigationMeasures
from lifelong.envs.navigation.streams import no_reset_tasks
from lifelong.learners.navigation.navigator import Navigator
from lifelong.learners.navigation.network import aligned_features, decoded
from lifelong.learners.navigation.traces import StepReading, make_trace


@pytest.fixture(scope="module")
def environment() -> ObjectNavGridEnvironment:
    return ObjectNavGridEnvironment()


def reading(number: int) -> StepReading:
    rows = np.full((2, 4), number, dtype=np.float32)
    return StepReading(views=np.zeros((2, 7, 7, 3), dtype=np.uint8), aligned=rows, temporal=rows + 10, logits=torch.zeros(2, 5))


def test_steps_stand_in_their_order() -> None:
    info = {"success": True, "navigation": NavigationMeasures(category="red ball", shortest=3, taken=4, distance=0)}
    trace = make_trace([reading(1), reading(2), reading(3)], 1, info)
    assert (trace.result.success, trace.result.given_up, trace.result.steps) == (True, False, 3)
    assert trace.aligned[:, 0].tolist() == [1, 2, 3]
    assert trace.temporal[:, 0].tolist() == [11, 12, 13]
    assert trace.views.shape == (3, 7, 7, 3)
    ended = make_trace([reading(1)], 0, info, given_up=True).result
    assert (ended.success, ended.given_up) == (False, True)


def test_features_are_those_of_the_network(environment: ObjectNavGridEnvironment) -> None:
    navigator = Navigator(width=16)
    [trace] = navigator.trace(environment, environment.tasks("validation", 1))
    assert len(trace.views) == len(trace.aligned) == len(trace.temporal) == trace.result.steps
    views, goals = torch.from_numpy(trace.views).long()[None], torch.tensor([environment.categories.index(trace.result.measures.category)])
    # The first step has no action before it, so it depends on nothing but view and goal.
    with torch.no_grad():
        first = aligned_features(navigator.network, views[:, :1], goals, torch.tensor([[5]]))
        logits = navigator.network["policy"](torch.from_numpy(trace.temporal[:1]))
        assert torch.allclose(decoded(navigator.network, first)[0], logits, atol=1e-5)
    assert np.allclose(first[0].numpy(), trace.aligned[:1], atol=1e-5)


def test_searches_without_a_reset_are_traced_too(environment: ObjectNavGridEnvironment) -> None:
    [chain] = no_reset_tasks(environment, "validation", scenes=1, goals=2)
    navigator = Navigator(width=16)
    traces = navigator.trace_without_reset(environment, chain)
    assert [one.result for one in traces] == navigator.act_without_reset(environment, chain)
    assert all(len(one.views) == one.result.steps for one in traces)
