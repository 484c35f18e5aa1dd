from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scripted import ScriptedEngine
from toy import ToyEnvironment

from lifelong.agents import DirectStrategy, Job, Run, replay
from lifelong.agents.strategies.retry import RetryStrategy
from lifelong.core import Judge, ToolResult, tool_specification
from lifelong.envs.results import MAX_TEXT


class Odd(ToyEnvironment):
    """A toy whose step on one task is replaced."""

    def __init__(self, name: str = "lamps", right: str = "blue", step_: Callable[[str], Any] | None = None, max_steps: int = 1) -> None:
        super().__init__(name, right)
        self.step_ = step_
        self.max_steps = max_steps
        self.closed: list[str] = []

    def spawn(self) -> Odd:
        twin = Odd(self.name, self.right, self.step_, self.max_steps)
        twin.closed = self.closed
        return twin

    def close(self) -> None:
        self.closed.append(threading.current_thread().name)

    def step(self, action: str) -> Any:
        assert self._task is not None
        if self.step_ is not None and self._task.id.endswith("-1"):
            return self.step_(action)
        return super().step(action)


def act(environment: Odd, count: int = 3, seconds: float = 5.0) -> list[Run]:
    jobs = [Job(task=task, environment=environment) for task in environment.tasks("train", count)]
    return DirectStrategy(ScriptedEngine(lambda _: "blue"), step_seconds=seconds).act(jobs)


def fail(action: str) -> Any:
    raise KeyError(action)


def leave(action: str) -> Any:
    sys.exit(4)


def hang(action: str) -> Any:
    time.sleep(60)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (fail, "the environment failed: KeyError: 'blue'"),
        (leave, "the environment failed: RuntimeError: it tried to end the process with SystemExit: 4"),
        (hang, "the environment was too slow: no answer within 0.5 seconds"),
        (lambda action: ("old", 1.0, True, {}), "the environment broke a rule: step must return five values"),
        (lambda action: ("", float("nan"), True, False, {"success": True}), "finite number"),
        (lambda action: None, "five values"),
    ],
)
def test_an_environment_that_fails_loses_its_own_run_only(step: Callable[[str], Any], reason: str) -> None:
    runs = act(Odd(step_=step), seconds=0.5)
    assert [run.outcome.success for run in runs] == [True, None, True]
    assert reason in runs[1].outcome.reason
    assert (runs[1].outcome.score, runs[1].outcome.judge) == (0.0, Judge.SELF)


def test_one_that_cannot_begin_loses_its_own_run_only() -> None:
    class Stubborn(Odd):
        def spawn(self) -> Odd:
            raise OSError("no more rooms")

    good, bad = Odd(), Stubborn()
    jobs = [Job(task=task, environment=environment) for environment in (good, bad) for task in environment.tasks("train", 1)]
    runs = DirectStrategy(ScriptedEngine(lambda _: "blue")).act(jobs)
    assert [run.outcome.success for run in runs] == [True, None]
    assert runs[1].outcome.reason == "the environment failed: OSError: no more rooms"
    assert runs[1].steps[0].text == jobs[1].task.text


def test_results_of_other_kinds_are_read() -> None:
    environment = Odd(step_=lambda action: ({"lamp": "on"}, np.float64(0.25), np.bool_(True), np.bool_(False), {"success": np.bool_(True)}))
    run = act(environment)[1]
    assert (run.outcome.success, run.outcome.score) == (True, 0.25)
    assert [step.text for step in run.steps if isinstance(step, ToolResult)] == ['{"lamp": "on"}']


def test_success_is_not_the_reward() -> None:
    run = act(Odd(step_=lambda action: ("", 0.9, True, False, {"success": False})))[1]
    assert (run.outcome.success, run.outcome.score) == (False, 0.9)


def test_an_episode_that_never_ends_is_ended() -> None:
    run = act(Odd(step_=lambda action: ("go on", 1.0, False, False, {"success": True}), max_steps=4))[1]
    assert len([step for step in run.steps if isinstance(step, ToolResult)]) == 4
    assert (run.outcome.success, run.outcome.reason) == (False, "not ended within 4 actions")


def test_a_long_observation_is_cut() -> None:
    run = act(Odd(step_=lambda action: ("x" * 1_000_000, 0.0, True, False, {})))[1]
    [result] = [step for step in run.steps if isinstance(step, ToolResult)]
    assert len(result.text) < MAX_TEXT + 100
    assert "characters cut]" in result.text


def test_every_episode_has_an_environment_of_its_own_which_is_closed() -> None:
    environment = Odd()
    act(environment, count=5)
    for _ in range(50):
        if len(environment.closed) == 5:
            break
        time.sleep(0.02)
    assert environment.closed == ["environment"] * 5
    assert environment._task is None


def test_a_demonstration_in_a_failing_environment_has_no_outcome() -> None:
    environment = Odd(step_=fail)
    run = replay(environment.tasks("train", 2)[1], environment)
    assert run.outcome.success is None
    assert "KeyError" in run.outcome.reason


class Constrained(Odd):
    """Answers are free text that a grammar describes; on one task the grammar is replaced."""

    bad: Any = None

    def grammar(self, task: Any) -> Any:
        return self.bad if self.bad is not None and task.id.endswith("-1") else 'start: "red" | "blue"'

    def admissible(self) -> tuple[str, ...]:
        return ()

    def spawn(self) -> Constrained:
        twin = Constrained(self.name, self.right)
        twin.bad = self.bad
        return twin


class Follows(ScriptedEngine):
    grammars = True


@pytest.mark.parametrize(("engine", "constrain", "sent"), [(Follows, True, True), (Follows, False, False), (ScriptedEngine, True, False)])
def test_a_grammar_is_sent_where_it_is_declared_wanted_and_followed(engine: type[ScriptedEngine], constrain: bool, sent: bool) -> None:
    environment, asked = Constrained(), engine(lambda _: "blue")
    jobs = [Job(task=task, environment=environment, constrain=constrain) for task in environment.tasks("train", 2)]
    runs = DirectStrategy(asked).act(jobs)
    assert all(run.outcome.success for run in runs)
    assert [bool(request.grammar) for request in asked.requests] == [sent, sent]


@pytest.mark.parametrize(
    ("bad", "reason"), [("start: (", "its grammar cannot be used"), (7, "grammar must return a text"), ("start: nowhere", "cannot be used")]
)
def test_a_grammar_that_cannot_be_used_ends_its_own_run_with_the_reason(bad: Any, reason: str) -> None:
    environment = Constrained()
    environment.bad = bad
    jobs = [Job(task=task, environment=environment) for task in environment.tasks("train", 3)]
    runs = DirectStrategy(Follows(lambda _: "blue")).act(jobs)
    assert [run.outcome.success for run in runs] == [True, None, True]
    assert reason in runs[1].outcome.reason


class Forms(Constrained):
    """Answers may have the form of a solved task's answer; `bad` is what it says of that in place of a grammar."""

    def template_grammar(self, task: Any, solved: Any, answer: str) -> Any:
        if self.bad == "raises":
            raise KeyError(answer)
        return self.bad or f'start: "{answer}"'

    def grammar(self, task: Any) -> Any:
        return 'start: "red" | "blue"'

    def spawn(self) -> Forms:
        twin = type(self)(self.name, self.right, max_steps=self.max_steps)
        twin.bad = self.bad
        return twin


def test_a_first_answer_follows_a_template_and_the_templates_are_taken_in_turn() -> None:
    environment, asked = Forms(), Follows(lambda _: "blue")
    task, *others = environment.tasks("train", 4)
    solved = tuple(zip(others, ("blue", "blue", "red"), strict=True))
    DirectStrategy(asked).act([Job(task=task, environment=environment, solved=solved, template=number) for number in (None, 0, 1, 2)])
    assert [request.grammar for request in asked.requests] == ['start: "red" | "blue"', 'start: "blue"', 'start: "red"', 'start: "blue"']
    DirectStrategy(asked).act([Job(task=task, environment=environment, solved=solved, template=0, constrain=False)])
    assert asked.requests[-1].grammar == ""


@pytest.mark.parametrize("bad", ["raises", "start: (", 7])
def test_a_template_that_cannot_be_had_costs_no_answer(bad: Any) -> None:
    environment, asked = Forms(), Follows(lambda _: "blue")
    environment.bad = bad
    task, other = environment.tasks("train", 2)
    [run] = DirectStrategy(asked).act([Job(task=task, environment=environment, solved=((other, "red"),), template=0)])
    assert run.outcome.success
    assert asked.requests[0].grammar == 'start: "red" | "blue"'


def test_a_form_that_was_refused_is_not_kept_to() -> None:
    class Refusing(Forms):
        history: Any = "none"

        def step(self, action: str) -> Any:
            return ("no", 0.0, False, False, {"success": False, "error": True}) if action == "red" else super().step(action)

    environment, asked = Refusing(max_steps=2), Follows(lambda request: "red" if "blue" not in request.grammar else "blue")
    task, other = environment.tasks("train", 2)
    [run] = RetryStrategy(asked).act([Job(task=task, environment=environment, solved=((other, "red"),), template=0, tries=2)])
    assert [request.grammar for request in asked.requests] == ['start: "red"', 'start: "red" | "blue"']
    assert run.outcome.success


def test_an_environment_in_which_every_action_is_a_call_gets_calls() -> None:
    tools = (tool_specification("press", "Press a button.", {"type": "object", "properties": {"colour": {"type": "string"}}}),)

    class Calling(Odd):
        always_calls = True

        def spawn(self) -> Calling:
            return Calling(self.name, self.right)

    for environment, wanted in ((Calling(), "required"), (Odd(), "auto")):
        asked = ScriptedEngine(lambda _: "blue")
        [task] = environment.tasks("train", 1)
        DirectStrategy(asked).act([Job(task=replace(task, tools=tools), environment=environment)])
        assert asked.requests[0].tool_choice == wanted
    [task] = Calling().tasks("train", 1)
    DirectStrategy(asked).act([Job(task=task, environment=Calling())])
    assert asked.requests[-1].tool_choice == "auto", "a task without tools has nothing to call"
