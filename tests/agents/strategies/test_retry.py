"""Refused answers are written anew, as often as the job allows and no more."""

from __future__ import annotations

import pytest
from scripted import ScriptedEngine

from lifelong.agents import DirectStrategy, Job
from lifelong.agents.strategies.retry import RetryStrategy
from lifelong.envs import DatabaseEnvironment


def job(tries: int) -> Job:
    environment = DatabaseEnvironment()
    return Job(task=environment.tasks("train", 1)[0], environment=environment, tries=tries)


@pytest.mark.parametrize(("tries", "right_at", "solved"), [(3, 3, True), (2, 3, False), (1, 1, True)])
def test_it_tries_as_often_as_it_may(tries: int, right_at: int, solved: bool) -> None:
    one = job(tries)
    assert one.environment is not None
    [right] = one.environment.demonstrate(one.task).actions
    answers = iter(["SELECT"] * (right_at - 1) + [right] * 9)
    engine = ScriptedEngine(lambda _: next(answers))
    [run] = RetryStrategy(engine).act([one])
    assert (run.outcome.success is True) == solved
    assert len(engine.requests) == min(tries, right_at)


def test_only_later_tries_are_sampled() -> None:
    engine = ScriptedEngine(lambda _: "SELECT")
    RetryStrategy(engine).act([job(3)])
    first, *later = [request.temperature for request in engine.requests]
    assert first == 0
    assert later
    assert min(later) > 0


def test_the_direct_strategy_does_not_try_again() -> None:
    engine = ScriptedEngine(lambda _: "SELECT")
    DirectStrategy(engine).act([job(3)])
    assert len(engine.requests) == 1
