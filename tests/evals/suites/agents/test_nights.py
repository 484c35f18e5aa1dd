"""Arms on a tiny random model: what they are trained on, and that equal adapters are trained once."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifelong.core import Settings
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.practice import exercises
from lifelong.evals.suites.agents import nights
from lifelong.evals.suites.agents.nights import Agent, LearningArm, shuffled
from lifelong.serving import EmbeddedEngine

SETTINGS = Settings().with_values({"sleep.epochs": 1, "sleep.rank": 2, "sleep.attempts": 1, "model.max_tokens": 4})


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tiny_model, dtype="float32", device="cpu")


def test_practice_alone_trains_on_exercises_and_equal_adapters_once(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Any] = []
    real = nights.train_lora

    def train(data: Any, *arguments: Any, **values: Any) -> Any:
        trained.append(list(data))
        return real(data, *arguments, **values)

    monkeypatch.setattr(nights, "train_lora", train)
    environment = DatabaseEnvironment()
    tasks, test = environment.tasks("train", 3), environment.tasks("test", 2)
    for arm in (LearningArm(nights=1, attempts=False), LearningArm(nights=1, attempts=False, grammar=False)):
        result = Agent(arm, environment, engine, SETTINGS, tmp_path).run(tasks, test, 8)
        assert [len(each) for each in result.successes] == [2]
        assert result.training_seconds > 0
    [data] = trained
    assert len(data) == 8
    assert all(sample.practice for sample in data)
    goals = {task.goal for task in (*tasks, *test)}
    assert not any(goal in str(sample.messages) for sample in data for goal in goals)


def test_without_practice_and_wins_nothing_is_trained(engine: EmbeddedEngine, tmp_path: Path) -> None:
    environment = DatabaseEnvironment()
    agent = Agent(LearningArm(nights=2, practice=False), environment, engine, SETTINGS, tmp_path)
    result = agent.run(environment.tasks("train", 2), environment.tasks("test", 2), 8)
    assert result.successes == ((False, False), (False, False))
    assert result.training_seconds == 0
    assert list(tmp_path.iterdir()) == []


def test_shuffled_exercises_have_the_answers_of_others_over_the_same_tables() -> None:
    environment = DatabaseEnvironment()
    made = exercises(environment, environment.tasks("train", 3), 30)
    wrong = shuffled(made, random.Random(0))
    answers = {(one.task.goal, one.source.id): one.answer for one in made}
    assert len(wrong) > 20
    assert sorted(one.answer for one in wrong) == sorted(one.answer for one in made if answers)
    assert sum(answers[one.task.goal, one.source.id] == one.answer for one in wrong) < len(wrong) / 5
    alone = [one for one in made if one.source == made[0].source][:1]
    assert shuffled(alone, random.Random(0)) == []
    assert replace(alone[0]) == alone[0]
