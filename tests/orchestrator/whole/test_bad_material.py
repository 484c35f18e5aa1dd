"""Nights over material that nothing can be learned from: whatever it is, it is named, bounded, and nothing is published."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nights import AdaptedEngine, FakeTrainer, open_fake
from practising import Learned, fail

from lifelong.core import MalformedTask, Task, tool_specification
from lifelong.envs import DatabaseEnvironment
from lifelong.learners import decide_publication
from lifelong.numerics.intervals import wilson_ci95
from lifelong.orchestrator import LifelongLearner, NightState, SleepReport
from lifelong.serving import ChatReply, ChatRequest
from lifelong.serving.decoding.grammar import grammar_error, grammar_of

FEW: dict[str, Any] = {"sleep.exercises": 12, "sleep.attempts": 3, "sleep.attempted_tasks": 8}


def nothing_published(learner: LifelongLearner, report: SleepReport) -> bool:
    return not report.published and not learner.record.adapters.route("default", "database")


# What a model does wrong, and what the report of its night says.
MODELS: dict[str, tuple[Callable[[ChatRequest], str], str]] = {
    "answers nothing": (lambda request: "", "answers are empty"),
    "answers blanks": (lambda request: " \u200b\n", "answers are empty"),
    "rambles": (lambda request: "and so on " * 2000, "answers are the same text"),
    "rambles differently": (lambda request: f"well {hash(str(request))} " * 500, "confirmed none of"),
    "repeats itself": (lambda request: "SELECT 1", "answers are the same text"),
}


@pytest.mark.parametrize(("answer", "said"), MODELS.values(), ids=MODELS)
def test_a_model_that_says_nothing_useful(
    answer: Callable[[ChatRequest], str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        engine: Any = learner._components.engine
        engine._answer = answer
        fail(learner, Learned())
        engine.requests.clear()
        [report] = learner.sleep()
        assert nothing_published(learner, report)
        assert report.state is NightState.REJECTED
        assert said in report.reason
        # What a night asks is bounded: each held-out task twice, with its attempts.
        assert len(engine.requests) <= 2 * learner.settings.wake.max_attempts * learner.settings.sleep.gate_tasks
        assert all(request.max_tokens is not None for request in engine.requests)


@pytest.mark.parametrize(("answer", "said"), MODELS.values(), ids=MODELS)
def test_attempts_of_a_model_that_says_nothing_useful_any_more(
    answer: Callable[[ChatRequest], str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        fail(learner, Learned())
        assert learner.sleep()[0].published
        engine: Any = learner._components.engine
        engine._answer = answer
        [report] = learner.sleep(skills=["database"])
        assert not report.published
        assert "attempts solved 0 more; 8 of 8 tasks taught nothing (0 solved by every attempt, 8 by none)" in report.plan
        assert said in report.plan


def test_a_model_whose_every_answer_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(AdaptedEngine):
        def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
            replies = super().chat(requests)
            return [ChatReply(text=f"{n} {one.text}", usage=one.usage, logprob=-1, finish_reason="length") for n, one in enumerate(replies)]

    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        learner._components.engine = Endless()
        fail(learner, Learned())
        [report] = learner.sleep()
        assert nothing_published(learner, report)
        assert "answers were cut off at the most tokens" in report.reason


NEVER = '%llguidance {}\nstart: "a" NEVER\nNEVER: /b/ & /c/'
ENDLESS = '%llguidance {}\nstart: a\na: "x" a'
AMBIGUOUS = '%llguidance {}\nstart: a | b\na: "x" a | "x"\nb: b "x" | "x"'


class Constrained(AdaptedEngine):
    """Takes grammars as the engines do: what the parser cannot use is refused, and the batch with it."""

    grammars = True

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        for request in requests:
            if (grammar := grammar_of(request)) and (error := grammar_error(grammar)):
                raise MalformedTask(error)
        return super().chat(requests)


class WithGrammar(Learned):
    """Declares whatever `text` is as its grammar."""

    text = ""

    def grammar(self, task: Task) -> str:
        return self.text


@pytest.mark.parametrize(
    ("grammar", "said"),
    [(NEVER, "it allows no text at all"), (ENDLESS, "it forces a text without an end"), ("start: (", "its grammar cannot be used")],
    ids=["nothing", "endless", "unreadable"],
)
def test_a_grammar_that_accepts_nothing(grammar: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        learner._components.engine = Constrained()
        environment = WithGrammar()
        fail(learner, environment)
        # Awake a run ends with the reason, and takes no other run with it.
        monkeypatch.setattr(WithGrammar, "text", grammar)
        episodes = learner.wake_many(environment.tasks("train", 3), environment, ids=["a", "b", "c"])
        assert all(said in one.outcome.reason for one in episodes)
        assert not any(one.outcome.verified for one in episodes)
        [report] = learner.sleep(skills=["database"])
        assert nothing_published(learner, report)
        assert "the environment judged none of" in report.reason
        assert report.practised > 0, "practice needs no grammar"


def test_an_ambiguous_grammar_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        learner._components.engine = Constrained()
        monkeypatch.setattr(WithGrammar, "text", AMBIGUOUS)
        fail(learner, WithGrammar())
        [report] = learner.sleep()
        assert report.published, "two ways to read a text are no fault"
        engine: Any = learner._components.engine
        assert AMBIGUOUS in {request.grammar for request in engine.requests}


SCHEMAS = {
    "recursive": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"anyOf": [{"$ref": "#/$defs/n"}]}}},
    "refers to itself": {"$ref": "#"},
    "of no known type": {"type": "object", "properties": {"a": {"type": "nonsense"}}},
    "no object": {"type": "string"},
    "no schema": True,
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_tool_schema_that_cannot_be_used_costs_its_own_task_alone(schema: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        for number in range(14):
            tools = (tool_specification("order", "", schema if number < 2 else None),)
            episode = learner.wake(Task(id=f"{number}", goal=f"Order {number} of brushes", environment="chat", skill="orders", tools=tools))
            confirmed = number < 2
            learner.feedback(episode.id, success=confirmed, correction="" if confirmed else f"[brushes x{number}] ok")
        # The record has them, whoever served them then; the engine of the night refuses two.
        learner._components.engine = Constrained()
        [report] = learner.sleep(skills=["orders"])
        assert report.published, report.reason
        assert report.gate[0].tasks == 14


class WithTools(Learned):
    """Its tasks have tools, and it declares nothing for practice."""

    tools: Any = ()

    def tasks(self, split: Any, count: int, *, seed: int = 0) -> Any:
        return [replace(task, tools=self.tools) for task in super().tasks(split, count, seed=seed)]

    def __getattribute__(self, name: str) -> Any:
        if name in ("exercises", "exchanges"):
            raise AttributeError(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_practice_of_tools_whose_schemas_cannot_be_used(schema: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unusable, usable = tool_specification("order", "Orders.", schema), tool_specification("pay", "Pays.")
    monkeypatch.setattr(WithTools, "tools", (usable, unusable))
    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        # No engine takes a request with such a tool, so that nothing of it is practised either, not even the other tool.
        fail(learner, WithTools(), 24)
        [report] = learner.sleep(skills=["database"])
        assert nothing_published(learner, report)
        assert report.state is NightState.NOTHING_TO_LEARN
        assert "no exercise could be made" in report.plan


class Judge(Learned):
    """Says what `verdict` says, whatever is done; `fail` sees it as it was before."""

    verdict: Callable[[str], bool] | None = None

    def step(self, action: str) -> Any:
        if self.verdict is None:
            return super().step(action)
        return "Done.", 1.0, True, False, {"error": False, "success": type(self).verdict(action)}  # type: ignore[misc]


def awake(learner: LifelongLearner, environment: DatabaseEnvironment, count: int = 48) -> None:
    learner.environments[environment.id] = environment
    learner.wake_many(environment.tasks("train", count), environment, ids=[f"run-{number}" for number in range(count)])


def test_an_environment_that_says_yes_to_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judge, "verdict", staticmethod(lambda action: True))
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **FEW) as learner:
        awake(learner, Judge())
        [report] = learner.sleep()
        assert nothing_published(learner, report)
        # The adapter and the base answer differently, and all of it is right: there is nothing to gain, and the judge may be worthless.
        assert "100% -> 100% is no proven gain" in report.reason
        assert "the environment confirmed all of" in report.reason
        assert "different ones at the same task among them" in report.reason
        assert not [one for one in learner.record.episodes.find(tenant="default") if one.id.endswith("-attempt")]


def test_silence_is_not_learned_though_it_is_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judge, "verdict", staticmethod(lambda action: True))
    with open_fake(tmp_path, monkeypatch, **{**FEW, "sleep.practice": "never"}) as learner:
        engine: Any = learner._components.engine
        engine._answer = lambda request: ""
        awake(learner, Judge())
        [report] = learner.sleep(skills=["database"])
        assert report.state is NightState.NOTHING_TO_LEARN
        assert report.reason.startswith("0 training samples")


def test_an_environment_that_says_no_to_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judge, "verdict", staticmethod(lambda action: False))
    with open_fake(tmp_path, monkeypatch, **FEW) as learner:
        awake(learner, Judge())
        [report] = learner.sleep()
        assert nothing_published(learner, report)
        assert "0% -> 0% is no proven gain" in report.reason
        assert "the environment confirmed none of" in report.reason


SHARE = 0.0125
"""In how many nights a judge by chance may publish: the interval has 95 %, by halves of 97.5 %, of which one side is a gain."""


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("tasks", [8, 30])
def test_a_judge_by_chance_passes_the_gate_in_the_stated_share_of_nights_at_most(rate: float, tasks: int) -> None:
    rng, nights = random.Random(f"{rate}/{tasks}"), 1000
    published = 0
    for _ in range(nights):
        live, ours = ([rng.random() < rate for _ in range(tasks)] for _ in range(2))
        published += decide_publication("database", {"database": live}, {"database": ours}, allowed_drop=0.03).accepted
    assert wilson_ci95(published, nights)[0] <= SHARE


def test_nights_under_an_environment_that_judges_by_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = named = 0
    for seed in range(12):
        rng = random.Random(seed)
        monkeypatch.setattr(Judge, "verdict", staticmethod(lambda action, rng=rng: rng.random() < 0.3))
        with open_fake(tmp_path / str(seed), monkeypatch, **FEW) as learner:
            awake(learner, Judge(), 24)
            engine: Any = learner._components.engine
            # A candidate that does what the base does: what the verdicts say of a difference is chance.
            engine._answer = lambda request: "SELECT 1"
            [report] = learner.sleep()
            published += report.published
            named += "judged the same answer to the same task differently" in report.reason
    assert published == 0
    assert named >= 10, "two verdicts on one answer are compared wherever there are enough of them"


def test_all_groups_of_attempts_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{**FEW, "sleep.practice": "never"}) as learner:
        fail(learner, Learned())
        learner._components.settings = learner.settings.with_values({"sleep.practice": "auto"})
        assert learner.sleep(skills=["database"])[0].published
        learner._components.settings = learner.settings.with_values({"sleep.practice": "never"})
        engine: Any = learner._components.engine
        # Each task is solved by every attempt at it or by none.
        engine._answer = lambda request: "right" if len(str(request.messages)) % 2 else "SELECT 1"
        live = learner.record.adapters.route("default", "database")
        [report] = learner.sleep(skills=["database"])
        assert report.state is NightState.NOTHING_TO_LEARN
        assert "attempts solved 0 more; 8 of 8 tasks taught nothing" in report.plan
        assert " solved by every attempt, " in report.plan
        assert learner.record.adapters.route("default", "database") == live
