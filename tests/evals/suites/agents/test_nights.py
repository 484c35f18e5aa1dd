"""Arms on a tiny random model: what they are trained on, and that equal adapters are trained once."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifelong.agents import Run
from lifelong.core import Action, Judge, Observation, Outcome, Settings, Usage
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.practice import exercises
from lifelong.evals.suites.agents import nights
from lifelong.evals.suites.agents.nights import Agent, LearningArm, shuffled
from lifelong.perception import HashedEncoder
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


def test_a_night_goes_on_from_what_it_trained_with_the_failures_of_its_attempts(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Outcome(success=True, judge=Judge.ENVIRONMENT)
    wrong = Outcome(success=False, judge=Judge.ENVIRONMENT)
    given: list[Any] = []
    real = nights.train_contrast

    def train(data: Any, objective: Any, recipe: Any, directory: Path, **values: Any) -> Any:
        given.append((data, Path(recipe.start).is_dir(), values["budget"]))
        return real(data, objective, recipe, directory, **values)

    def solve(self: Agent, tasks: Any, **values: Any) -> list[Run]:
        # Of two attempts at a task the greedy one fails.
        verdicts = [wrong, right] * len(tasks)
        return [
            Run(
                steps=(Observation(text=task.text), Action(text=f"SELECT {place % 2}, {'a' * (place % 2)}")),
                outcome=verdicts[place],
                usage=Usage(),
            )
            for place, task in enumerate(tasks)
        ]

    monkeypatch.setattr(nights, "train_contrast", train)
    monkeypatch.setattr(Agent, "solve", solve)
    environment = DatabaseEnvironment()
    agent = Agent(LearningArm(nights=1, practice=False, contrast="dpo"), environment, engine, SETTINGS, tmp_path)
    agent.run(environment.tasks("train", 3), environment.tasks("test", 2), 0)
    [(data, from_an_adapter, budget)] = given
    assert from_an_adapter
    assert budget > 0
    assert sorted((one.success, bool(one.instead)) for one in data) == [(False, True)] * 3 + [(True, False)] * 3
    assert agent.adapter.endswith("-dpo")
    agent.retire()
    assert agent.adapter == ""


def test_the_upper_bound_is_shown_right_answers_and_may_exchange_what_the_environment_lets_it() -> None:
    environment = DatabaseEnvironment()
    [task] = environment.tasks("train", 1)
    [sample] = nights.shown_answers(environment, [task])
    assert sample.answer == environment.demonstrate(task).actions[-1]
    assert sample.exchangeable
    assert not sample.practice


def test_attempts_and_answers_follow_the_forms_of_the_solved_tasks_nearest_to_theirs(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    class Solving:
        """Solves every second task and keeps what it is given."""

        def __init__(self, engine: Any) -> None:
            pass

        def act(self, jobs: Any) -> list[Run]:
            asked.append(jobs)
            return [
                Run(
                    steps=(Observation(text=job.task.text), Action(text="SELECT 1" if job.template is None else "SELECT 2")),
                    outcome=Outcome(success=hash_of(job) % 2 == 0, judge=Judge.ENVIRONMENT),
                    usage=Usage(),
                )
                for job in jobs
            ]

    def hash_of(job: Any) -> int:
        return [one.id for one in tasks].index(job.task.id) if job.task in tasks else 1

    monkeypatch.setattr(nights, "create", lambda kind, name, **values: Solving(None) if kind == "strategies" else HashedEncoder())
    monkeypatch.setattr(nights, "train_lora", lambda data, recipe, directory, **values: None)
    monkeypatch.setattr(Agent, "train", lambda self, data: None)
    environment = DatabaseEnvironment()
    tasks, test = environment.tasks("train", 4), environment.tasks("test", 2)
    settings = SETTINGS.with_values({"sleep.attempts": 3})
    Agent(LearningArm(nights=2, practice=False, templates=True), environment, engine, settings, tmp_path).run(tasks, test, 0)
    first, _, second, _ = asked
    assert all(job.solved == () for job in first)
    assert [job.template for job in second] == [None, None, 0, None] * 2
    assert {task.id for job in second for task, _ in job.solved} == {tasks[0].id, tasks[2].id}
    asked.clear()
    Agent(LearningArm(templates=True), environment, engine, settings, tmp_path).run(tasks, test, 0)
    awake, tested = asked
    assert len(awake) == 4, "greedy answers alone"
    assert all(len(job.solved) == 2 for job in tested)
    asked.clear()
    Agent(LearningArm(nights=2, practice=False), environment, engine, settings, tmp_path).run(tasks, test, 0)
    assert all(job.solved == () for jobs in asked for job in jobs)
