"""Solved tasks whose forms an answer may follow are those of the skill that the recogniser named, the nearest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scripted import ScriptedEngine, open_scripted

from lifelong.core import Task
from lifelong.envs import DatabaseEnvironment
from lifelong.memory.recall.solved import nearest_pairs, nearest_solved
from lifelong.orchestrator.wake import plan


class Solving(ScriptedEngine):
    """Follows grammars and knows the right answers."""

    grammars = True

    def __init__(self, environment: DatabaseEnvironment, tasks: Any) -> None:
        self.right = {task.goal: environment.demonstrate(task).actions[0] for task in tasks}
        super().__init__(lambda request: next((gold for goal, gold in self.right.items() if goal in str(request.messages)), "SELECT 1"))


def opened(home: Path, **values: Any) -> tuple[Any, DatabaseEnvironment]:
    environment = DatabaseEnvironment()
    learner = open_scripted(home, **values)
    learner._components.engine = Solving(environment, environment.tasks("train", 12))
    learner.environments[environment.id] = environment
    return learner, environment


def test_an_answer_is_given_the_nearest_solved_tasks_of_its_skill_where_the_strategy_follows_them(tmp_path: Path) -> None:
    learner, environment = opened(tmp_path, **{"wake.strategy": "best_of_n"})
    with learner:
        tasks = environment.tasks("train", 14)
        learner.wake_many(tasks[:12], environment, ids=[f"run-{number}" for number in range(12)])
        [first] = plan(learner._components, [tasks[12]])
        assert 0 < len(first.solved) <= 12
        assert {task.skill for task, _ in first.solved} == {"database"}
        vectors = learner._components.encoder.encode([task.text for task in (tasks[12], *(task for task, _ in first.solved))])
        near = vectors[1:] @ vectors[0]
        assert list(near) == sorted(near, reverse=True)
        learner.wake_many(tasks[12:13], environment, ids=["run-12"])
        sent = {request.grammar for request in learner._components.engine.requests[-8:]}
        assert len(sent) > 1
        # Another skill, or another tenant, has none of them.
        [other] = plan(learner._components, [Task(id="x", goal=tasks[12].goal, environment=environment.id, skill="other")])
        [stranger] = plan(
            learner._components, [Task(id="x", goal=tasks[12].goal, environment=environment.id, skill="database", tenant="b")]
        )
        assert other.solved == stranger.solved == ()


def test_nothing_is_looked_up_where_nobody_follows_it_or_it_is_switched_off(tmp_path: Path) -> None:
    for number, values in enumerate(
        ({"wake.strategy": "repair"}, {"wake.strategy": "best_of_n", "wake.templates": False}, {"wake.control_share": 1.0})
    ):
        learner, environment = opened(tmp_path / str(number), **{"wake.strategy": "best_of_n", **values})
        with learner:
            tasks = environment.tasks("train", 13)
            learner.wake_many(tasks[:12], environment, ids=[f"run-{one}" for one in range(12)])
            [found] = plan(learner._components, [tasks[12]], ids=["later"])
            assert found.solved == ()


def test_a_search_that_fails_costs_no_answer(tmp_path: Path, monkeypatch: Any) -> None:
    learner, environment = opened(tmp_path, **{"wake.strategy": "best_of_n"})
    with learner:
        tasks = environment.tasks("train", 2)

        def broken(*_: object, **__: object) -> None:
            raise OSError("the index is gone")

        monkeypatch.setattr("lifelong.orchestrator.wake.solved_near", broken)
        [episode] = learner.wake_many(tasks[:1], environment, ids=["one"])
        assert episode.outcome.success
        assert learner.status().faults["recall"] >= 1


def test_at_night_each_failed_task_gets_its_own_nearest(tmp_path: Path) -> None:
    learner, environment = opened(tmp_path)
    with learner:
        tasks = environment.tasks("train", 16)
        learner.wake_many(tasks, environment, ids=[f"run-{number}" for number in range(16)])
        episodes = learner.record.episodes.find(tenant="default")
        solved, failed = [one for one in episodes if one.outcome.success], [one for one in episodes if not one.outcome.success]
        assert len(solved) >= 10
        assert len(failed) >= 2
        found = nearest_solved(learner.record, "default", failed, solved)
        assert [len(each) for each in found] == [len(solved)] * len(failed)
        assert found[0] != found[1]
        assert nearest_solved(learner.record, "default", failed, []) == [()] * len(failed)
        assert nearest_solved(learner.record, "default", [], solved) == []


def test_the_nearest_come_first_and_are_bounded() -> None:
    pairs = [(Task(id=str(number), goal="x"), str(number)) for number in range(40)]
    angles = np.linspace(0, 1.5, 40)
    solved = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    [found] = nearest_pairs(np.array([[1.0, 0.0]]), solved, pairs)
    assert [answer for _, answer in found] == [str(number) for number in range(16)]
