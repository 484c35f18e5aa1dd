"""Answers are chosen by agreement of what they would bring about; nothing is asked of who judges."""

from __future__ import annotations

import time
from typing import Any

import pytest
from scripted import ScriptedEngine

from lifelong.agents import Job
from lifelong.agents.strategies.best_of_n import SAMPLES, BestOfNStrategy, Candidate, most_agreed
from lifelong.checks import check_strategy
from lifelong.core import Action, Task, Thought, Usage
from lifelong.envs import DatabaseEnvironment
from lifelong.serving import ChatReply, ChatRequest


def candidate(result: str, logprob: float = -1.0, error: str = "", empty: bool = False) -> Candidate:
    return Candidate(reply=ChatReply(text=f"{result}{logprob}", usage=Usage(), logprob=logprob), result=result, error=error, empty=empty)


def test_it_keeps_the_rules_of_a_strategy() -> None:
    check_strategy(BestOfNStrategy)


def test_the_result_that_most_answers_have_wins() -> None:
    a, b, c = candidate("a"), candidate("b", -0.1), candidate("a", -2.0)
    assert most_agreed([b, a, c]) == (a, 2)


def test_among_as_many_the_likeliest_wins() -> None:
    a, b = candidate("a", -1.0), candidate("b", -0.5)
    assert most_agreed([a, b]) == (b, 1)


@pytest.mark.parametrize("worse", [{"error": "refused"}, {"empty": True}])
def test_what_fails_or_does_nothing_counts_only_where_nothing_else_is_there(worse: dict[str, Any]) -> None:
    useless = candidate("nothing", -0.1, **worse)
    assert most_agreed([useless, useless, candidate("a")])[0].result == "a"
    assert most_agreed([useless, useless])[0] == useless


def _job() -> tuple[DatabaseEnvironment, Task, str]:
    environment = DatabaseEnvironment()
    task = next(one for one in environment.tasks("train", 20) if environment.demonstrate(one).actions[0].startswith("SELECT"))
    return environment, task, environment.demonstrate(task).actions[0]


def test_most_of_several_samples_outvote_the_greedy_answer() -> None:
    environment, task, gold = _job()
    table = task.context.removeprefix("Table ").split("(")[0]
    # The greedy answer is wrong, most of the sampled ones are right in different words.
    engine = ScriptedEngine(
        lambda request: f"SELECT count(*) FROM {table}" if not request.temperature else gold if request.seed % 2 else f"{gold[:-1]} ;"
    )
    [run] = BestOfNStrategy(engine).act([Job(task=task, environment=environment)])
    assert run.outcome.success
    assert [step.text for step in run.steps if isinstance(step, Thought)] == [f"{SAMPLES - 1} of {SAMPLES} answers agree on the result"]
    assert len([step for step in run.steps if isinstance(step, Action)]) == 1
    assert engine.batches == [SAMPLES]
    assert run.usage.completion_tokens == 2 * SAMPLES
    assert len({request.seed for request in engine.requests}) == SAMPLES


def test_a_model_that_says_nothing_ends_bounded() -> None:
    environment, task, _ = _job()
    engine = ScriptedEngine(lambda request: "")
    [run] = BestOfNStrategy(engine).act([Job(task=task, environment=environment, tries=2)])
    assert run.outcome.success is False
    assert len(engine.requests) <= 2 * SAMPLES


class Failing(DatabaseEnvironment):
    def preview(self, task: Task, action: str) -> Any:
        raise OSError("the disk is full")


class Slow(DatabaseEnvironment):
    def preview(self, task: Task, action: str) -> Any:
        time.sleep(30)


@pytest.mark.parametrize(("environment", "reason"), [(Failing(), "the disk is full"), (Slow(), "too slow")])
def test_a_preview_that_fails_or_hangs_ends_its_own_run_with_the_reason(environment: DatabaseEnvironment, reason: str) -> None:
    good, task, gold = _job()
    strategy = BestOfNStrategy(ScriptedEngine(lambda request: gold), step_seconds=0.5)
    runs = strategy.act([Job(task=task, environment=environment), Job(task=task, environment=good)])
    assert [run.outcome.success for run in runs] == [None, True]
    assert reason in runs[0].outcome.reason


def test_environments_without_a_preview_are_asked_once() -> None:
    class Blind:
        """A database that cannot try anything."""

        def __init__(self) -> None:
            self._inner = DatabaseEnvironment()

        def __getattr__(self, name: str) -> Any:
            if name == "preview":
                raise AttributeError(name)
            return getattr(self._inner, name)

        def spawn(self) -> Any:
            return Blind()

    _, task, gold = _job()
    engine = ScriptedEngine(lambda request: gold)
    blind: Any = Blind()
    [run] = BestOfNStrategy(engine).act([Job(task=task, environment=blind)])
    assert run.outcome.success
    assert len(engine.requests) == 1


def test_the_request_of_a_sample_is_the_greedy_one_but_for_its_chance() -> None:
    environment, task, gold = _job()
    engine = ScriptedEngine(lambda request: gold)
    BestOfNStrategy(engine).act([Job(task=task, environment=environment)])
    first, *others = engine.requests
    assert isinstance(first, ChatRequest)
    assert first.temperature == 0
    assert all(request.messages == first.messages and request.temperature > 0 for request in others)


def test_every_other_answer_follows_the_form_of_a_solved_task() -> None:
    class Follows(ScriptedEngine):
        grammars = True

    environment, task, gold = _job()
    others = [one for one in environment.tasks("train", 20) if one != task][:3]
    solved = [(one, environment.demonstrate(one).actions[0]) for one in others]
    engine = Follows(lambda request: gold)
    [run] = BestOfNStrategy(engine).act([Job(task=task, environment=environment, solved=tuple(solved))])
    grammars = [request.grammar for request in engine.requests]
    templates = list(dict.fromkeys(grammars[1::2]))
    assert len(set(grammars[0::2])) == 1
    assert len(templates) == 3
    assert grammars[0] not in templates
    # The likeliest answer of each form, and then samples of it; the others are samples as ever.
    assert [bool(request.temperature) for request in engine.requests] == [False, False, True, False, True, False, True, True]
    thoughts = [step.text for step in run.steps if isinstance(step, Thought)]
    assert thoughts == [f"{SAMPLES} of {SAMPLES} answers agree on the result; 3 forms of solved tasks were followed"]
