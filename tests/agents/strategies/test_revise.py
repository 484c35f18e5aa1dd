from __future__ import annotations

from scripted import ScriptedEngine

from lifelong.agents import Job
from lifelong.agents.consolidation.training_samples import samples
from lifelong.agents.strategies.revise import ReviseStrategy
from lifelong.checks import check_strategy
from lifelong.core import Action, Episode, text_of
from lifelong.envs import DatabaseEnvironment


def test_it_keeps_the_rules_of_a_strategy() -> None:
    check_strategy(ReviseStrategy)


def test_an_answer_is_written_anew_in_sight_of_why_it_was_refused() -> None:
    environment = DatabaseEnvironment()
    [task] = environment.tasks("train", 1)
    [gold] = environment.demonstrate(task).actions
    engine = ScriptedEngine(lambda request: gold if any("no such table" in text_of(one) for one in request.messages) else "SELECT a FROM b")
    [run] = ReviseStrategy(engine).act([Job(task=task, environment=environment, tries=2)])
    assert [step.text for step in run.steps if isinstance(step, Action)] == ["SELECT a FROM b", gold]
    assert run.outcome.success
    # Training asks what was asked then: with the refused answer and the message in sight.
    [sample] = samples([Episode(id="e", task=task, steps=run.steps, outcome=run.outcome, skill="database")])
    assert sample.answer == gold
    assert any("no such table" in text_of(message) for message in sample.messages)


def test_tries_are_bounded() -> None:
    environment = DatabaseEnvironment()
    [task] = environment.tasks("train", 1)
    engine = ScriptedEngine(lambda request: "SELECT a FROM b")
    [run] = ReviseStrategy(engine).act([Job(task=task, environment=environment, tries=2)])
    assert run.outcome.success is False
    assert len(engine.requests) <= environment.max_steps
