"""What was rebuilt without a category is, bit by bit, what would have been learned without it; a reset touches no other goal."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.scenes import CATEGORIES, STAGES
from lifelong.learners.navigation.forgetting import rebuild_without
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.learners.navigation.trajectories import Trajectory, record

SETTINGS = NavigatorSettings(epochs=1, batch=4)


@pytest.fixture(scope="module")
def stages() -> list[list[Trajectory]]:
    return [record(one, one.tasks("train", 8)) for one in map(ObjectNavGridEnvironment, (*STAGES[:2], STAGES[2][:1]))]


@pytest.fixture(scope="module")
def checkpoints(stages: list[list[Trajectory]]) -> list[Navigator]:
    return learned(stages)


def learned(stages: list[list[Trajectory]]) -> list[Navigator]:
    found = [Navigator(width=16, settings=SETTINGS)]
    for stage in stages:
        found.append(found[-1].learn(stage))
    return found


def same(one: Navigator, other: Navigator) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True))


def test_rebuilding_gives_what_was_never_taught_it(stages: list[list[Trajectory]], checkpoints: list[Navigator]) -> None:
    category = stages[1][0].category
    never = learned([[one for one in stage if one.category != category] for stage in stages])
    rebuilt = rebuild_without(checkpoints, stages, category)
    assert len(rebuilt) == len(checkpoints)
    assert rebuilt[:2] == checkpoints[:2]
    assert all(same(one, other) for one, other in zip(rebuilt, never, strict=True))
    assert not same(rebuilt[-1], checkpoints[-1])
    assert category not in rebuilt[-1].taught
    kept = [one.buffer.episodes for navigator in (rebuilt[-1], never[-1]) for one in navigator.parts[1:]]
    assert len(kept[0]) == len(kept[1])
    assert all(np.array_equal(a.features, b.features) for a, b in zip(*kept, strict=True))


def test_a_stage_of_that_category_alone_is_left_out(stages: list[list[Trajectory]], checkpoints: list[Navigator]) -> None:
    rebuilt = rebuild_without(checkpoints, stages, STAGES[2][0])
    assert rebuilt[-1] is checkpoints[-2]


def test_a_reset_takes_one_goal_and_no_other(checkpoints: list[Navigator]) -> None:
    navigator = checkpoints[-1]
    category = navigator.taught[0]
    left = navigator.forget(category)
    assert category not in left.taught
    assert category in navigator.taught
    assert left.nbytes < navigator.nbytes
    number = CATEGORIES.index(category)
    for name, weight in left.network.named_parameters():
        before = navigator.network.get_parameter(name)
        changed = torch.nonzero((weight != before).flatten(1).any(1)).flatten().tolist() if weight.dim() > 1 else []
        if name in ("goal.weight", "encoder.wanted.weight"):
            assert changed == [number]
            # Far from where training began as well as from where it ended.
            for one in (checkpoints[0], navigator):
                assert torch.dist(weight[number], one.network.get_parameter(name)[number]) > 0.5 * weight.shape[1] ** 0.5
        else:
            assert torch.equal(weight, before)
    assert same(left, navigator.forget(category))


def test_what_cannot_be_forgotten_is_refused(stages: list[list[Trajectory]], checkpoints: list[Navigator]) -> None:
    unknown = STAGES[3][0]
    with pytest.raises(ValueError, match=f"no stage taught '{unknown}'"):
        rebuild_without(checkpoints, stages, unknown)
    with pytest.raises(ValueError, match="3 stages need 4 checkpoints, the untaught one first; got 3"):
        rebuild_without(checkpoints[1:], stages, stages[0][0].category)
    with pytest.raises(ValueError, match=f"'{unknown}' was not taught; taught are: "):
        checkpoints[-1].forget(unknown)
