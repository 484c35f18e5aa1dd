"""Attempts of a night are recorded beside the runs whose tasks they solve, once, and go with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nights import open_fake
from practising import Learned, fail

from lifelong.agents.consolidation.plan import NightPlan
from lifelong.orchestrator.phases import NightContext, OutOfTime, Work
from lifelong.orchestrator.phases.attempt import Attempt


def night_of(learner: Any, **values: Any) -> tuple[NightContext, Work]:
    night = NightContext(components=learner._components, environments=learner.environments, tenant="default", **values)
    return night, Work(skill="database", adapter="lifelong-v0009", plan=NightPlan(attempts=3, exercises=0, reason="planned"))


def test_a_second_run_of_the_phase_records_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        environment = Learned()
        fail(learner, environment, 20)
        engine: Any = learner._components.engine
        engine._answer = lambda request: "right" if request.seed % 2 else "SELECT 1"
        night, work = night_of(learner)
        assert Attempt().due(night, work)
        assert not Attempt().due(night, replace(work, plan=None))
        Attempt().run(night, work)
        first = [one.id for one in learner.record.episodes.find(tenant="default")]
        assert any(id.endswith("-attempt") for id in first)
        Attempt().run(night, work)
        assert [one.id for one in learner.record.episodes.find(tenant="default")] == first


def test_an_erased_run_takes_the_attempts_at_its_task_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        fail(learner, Learned(), 20)
        engine: Any = learner._components.engine
        engine._answer = lambda request: "right" if request.seed % 2 else "SELECT 1"
        Attempt().run(*night_of(learner))
        won = next(one for one in learner.record.episodes.find(tenant="default") if one.id.endswith("-attempt"))
        learner.forget(episode=won.id.partition("-lifelong")[0])
        assert learner.record.episodes.get_many([won.id], tenant="default") == []


def test_attempts_stop_when_the_budget_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        fail(learner, Learned(), 20)
        night, work = night_of(learner, deadline=0.0)
        with pytest.raises(OutOfTime):
            Attempt().run(night, work)


def test_every_other_attempt_follows_the_form_of_a_solved_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        environment = Learned()
        engine: Any = learner._components.engine
        engine.grammars = True
        tasks = environment.tasks("train", 20)
        golds = {task.goal: environment.demonstrate(task).actions[0] for task in tasks[::2]}
        engine._answer = lambda request: next((gold for goal, gold in golds.items() if goal in str(request.messages)), "SELECT 1")
        learner.environments[environment.id] = environment
        learner.wake_many(tasks, environment, ids=[f"run-{number}" for number in range(20)])
        for templates in (True, False):
            engine.requests.clear()
            learner._components.settings = learner._components.settings.with_values({"wake.templates": templates})
            Attempt().run(*night_of(learner))
            by_task: dict[str, list[str]] = {}
            for request in engine.requests:
                by_task.setdefault(str(request.messages), []).append(request.grammar)
            assert by_task
            for first, second, third in by_task.values():
                assert first == third
                assert (second != first) is templates
