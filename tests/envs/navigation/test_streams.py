"""Stages one after another, categories that come back, and goals without a reset in between."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lifelong.envs import ObjectNavGridEnvironment, Stream
from lifelong.envs.navigation import streams
from lifelong.envs.navigation.paths import GoalAbsent
from lifelong.envs.navigation.scenes import STAGES, scene_split
from lifelong.envs.navigation.streams import no_reset_tasks, stage_blocks, stage_environments


def test_stages_follow_each_other_and_come_back_in_new_scenes() -> None:
    stream = Stream(stage_environments(), stage_blocks(2, rounds=2))
    assert len(stream) == 2 * 4 * 2
    for number in range(8):
        goals = {item.task.goal for item in stream.block(number)}
        assert goals <= {f"Mission: find the {name}." for name in STAGES[number % 4]}
    scenes = [item.task.id.rpartition("-")[2] for item in stream]
    assert len(set(scenes)) == len(scenes)
    item = next(iter(stream))
    assert item.environment.reset(options={"task": item.task})[0] == item.task.text


def test_goals_without_a_reset_are_found_one_after_another() -> None:
    environment = ObjectNavGridEnvironment()
    chains = no_reset_tasks(environment, "validation", scenes=3, goals=4)
    assert chains == no_reset_tasks(environment, "validation", scenes=3, goals=4)
    assert len({chain[0].session for chain in chains}) == 3
    for chain in chains:
        assert len({task.session for task in chain}) == 1
        assert all(one.goal != other.goal for one, other in pairwise(chain))
        for number, task in enumerate(chain):
            assert scene_split(int(task.id.rpartition("-")[2])) == "validation"
            environment.reset(options={"task": task, "keep_position": number > 0})
            ended = [environment.step(action) for action in environment.plan()][-1]
            assert ended[4]["success"]


def test_one_category_alone_cannot_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_DRAWS", 20)
    with pytest.raises(GoalAbsent, match="only 0 of 1 scenes held two of the categories red ball"):
        no_reset_tasks(ObjectNavGridEnvironment(["red ball"]), "train", scenes=1, goals=2)
