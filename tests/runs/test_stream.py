"""The stream with a trainer that takes no seconds: when nights are counted, and that a run that ended is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_training import open_table, use_fake_training
from toy import ToyEnvironment

from lifelong.core import Task
from lifelong.envs.navigation.paths import GoalAbsent
from lifelong.orchestrator import LifelongLearner
from lifelong.runs.stream import FAILED_DEMONSTRATIONS, RunEnvironment, Schedule, run_stream

NAMES = ("lamps", "bells")


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    use_fake_training(monkeypatch)


def schedule(sleep: str) -> Schedule:
    environments = [ToyEnvironment(name, right) for name, right in zip(NAMES, ("white", "green"), strict=True)]
    return Schedule(
        environments=tuple(RunEnvironment(environment=one, train=16, test=4) for one in environments), corrections=16, sleep=sleep
    )


def test_what_is_learned_at_the_end_has_had_no_time_to_be_forgotten(tmp_path: Path) -> None:
    with open_table(tmp_path, *(one.environment for one in schedule("at_end").environments)) as learner:
        summary = run_stream(learner, schedule("at_end"))
    [night] = summary["nights"]
    assert night["night"] == 2, "the night counts as the evaluation after it does"
    assert summary["metrics"]["forgetting"] == {"lamps": None, "bells": None}
    assert summary["metrics"]["success_after"]["bells"] == summary["metrics"]["success_final"]["bells"] is not None


def test_an_expert_that_fails_costs_corrections_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def broken(environment: ToyEnvironment, task: Task) -> None:
        asked.append(environment.id)
        raise GoalAbsent("the scene holds no red ball")

    monkeypatch.setattr(ToyEnvironment, "demonstrate", broken)
    with open_table(tmp_path, *(one.environment for one in schedule("at_end").environments)) as learner:
        summary = run_stream(learner, schedule("at_end"))
    assert summary["corrections"]["used"] == 0
    assert sorted(asked) == ["bells-v1"] * FAILED_DEMONSTRATIONS + ["lamps-v1"] * FAILED_DEMONSTRATIONS
    warnings = [record.getMessage() for record in caplog.records if "no correction" in record.getMessage()]
    assert len(warnings) == 2
    assert warnings[0].startswith("no correction for 5 tasks, as the expert failed; the first: task ")
    assert warnings[0].endswith("GoalAbsent: the scene holds no red ball")


def test_a_run_that_ended_is_read_and_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environments = [one.environment for one in schedule("after_each").environments]
    with open_table(tmp_path, *environments) as learner:
        first = run_stream(learner, schedule("after_each"))
    assert [night["night"] for night in first["nights"]] == [1, 2]
    for verb in ("sleep", "evaluate"):
        monkeypatch.setattr(LifelongLearner, verb, lambda *_, verb=verb, **__: pytest.fail(f"{verb} was asked again"))
    with open_table(tmp_path, *environments) as learner:
        monkeypatch.setattr(learner._components.engine, "chat", lambda *_: pytest.fail("the engine was asked again"))
        monkeypatch.setattr(learner._components.engine, "choose", lambda *_: pytest.fail("the engine was asked again"))
        again = run_stream(learner, schedule("after_each"))
    assert {**again, "seconds": 0} == {**first, "seconds": 0}
