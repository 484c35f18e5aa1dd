"""Agents of several steps: an oracle that reads what the tools said solves every task, and learns from exactly what it was shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from scripted import ScriptedEngine, open_scripted
from tickets import next_command

from lifelong.agents import DirectStrategy, Job, RepairStrategy, RetryStrategy, Strategy, replay, samples
from lifelong.core import Action, Episode, Task, ToolResult, text_of, tool_call
from lifelong.envs import make_environment
from lifelong.envs.tools.environment import TicketEnvironment
from lifelong.serving import ChatReply, ChatRequest, EmbeddedEngine

NAMES = ("tickets-v1", "tickets-menu-v1")


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_solves_twenty_of_twenty_through_wake(tmp_path: Path, name: str) -> None:
    environment = make_environment(name)
    with open_scripted(tmp_path) as learner:
        learner._components.engine = ScriptedEngine(next_command)
        episodes = [learner.wake(task, environment) for task in environment.tasks("train", 20)]
    assert sum(episode.outcome.success is True for episode in episodes) == 20
    assert {sum(isinstance(step, ToolResult) for step in episode.steps) for episode in episodes} <= {7, 8}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strategy", [DirectStrategy, RetryStrategy, RepairStrategy])
def test_every_sample_asks_what_the_engine_was_asked(name: str, strategy: type[DirectStrategy]) -> None:
    environment, engine = make_environment(name), ScriptedEngine(next_command)
    for task in environment.tasks("train", 3):
        engine.requests.clear()
        [run] = strategy(engine).act([Job(task=task, environment=environment)])
        learned = samples([Episode(id="e", task=task, steps=run.steps, outcome=run.outcome)])
        assert [list(sample.messages) for sample in learned] == [list(request.messages) for request in engine.requests]
        assert [sample.answer for sample in learned] == [step.text for step in run.steps if isinstance(step, Action)]
        assert [next_command(ChatRequest(messages=sample.messages)) for sample in learned] == [sample.answer for sample in learned]


def test_so_they_do_where_the_middle_is_left_out_and_after_the_record() -> None:
    environment = LongEnvironment()
    [task] = environment.tasks("train", 1)
    engine = ScriptedEngine(lambda request: "more")
    engine.context = 400  # type: ignore[attr-defined]
    [run] = DirectStrategy(engine).act([Job(task=task, environment=environment)])
    episode = Episode.from_json(Episode(id="e", task=task, steps=run.steps, outcome=run.outcome).to_json())
    learned = samples([episode])
    assert len(learned) == 40
    assert [list(sample.messages) for sample in learned] == [list(request.messages) for request in engine.requests]
    assert any("left out" in text_of(message) for message in learned[-1].messages)


class LongEnvironment(TicketEnvironment):
    """Says something new forty times; then the task is solved."""

    max_steps = 40

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, object]]:
        self._steps_left -= 1
        done = self._steps_left == 0
        text = f"result {self._steps_left}: " + "word " * 12
        return text, float(done), done, False, {"error": False, "success": done}


def test_a_demonstration_of_eight_steps_is_eight_samples() -> None:
    environment, engine = TicketEnvironment(), ScriptedEngine(next_command)
    [task] = environment.tasks("train", 1)
    shown, made = environment.demonstrate(task), replay(task, environment, engine)
    learned = samples([Episode(id="e", task=task, steps=made.steps, outcome=made.outcome, demonstration=True)])
    assert [sample.answer for sample in learned] == list(shown.actions)
    [run] = DirectStrategy(engine).act([Job(task=task, environment=environment)])
    assert [list(sample.messages) for sample in learned] == [list(request.messages) for request in engine.requests]
    assert run.outcome.success


@pytest.mark.parametrize("name", NAMES)
def test_a_refused_turn_is_seen_and_not_learned(name: str) -> None:
    """The first command of all is wrong; the agent sees the error and goes on."""
    environment = make_environment(name)
    [task] = environment.tasks("train", 1)
    engine = ScriptedEngine(lambda request: "open_door 4" if len(engine.requests) == 1 else next_command(request))
    [run] = DirectStrategy(engine).act([Job(task=task, environment=environment)])
    assert run.outcome.success
    assert "Error: no tool answers" in "\n".join(text_of(message) for message in engine.requests[1].messages)
    learned = samples([Episode(id="e", task=task, steps=run.steps, outcome=run.outcome)])
    assert [list(sample.messages) for sample in learned] == [list(request.messages) for request in engine.requests[1:]]


@pytest.mark.parametrize("strategy", [DirectStrategy, RetryStrategy, RepairStrategy])
def test_an_environment_may_declare_what_is_shown(strategy: type[Strategy]) -> None:
    class Last(TicketEnvironment):
        history = "last"

    class Nothing(TicketEnvironment):
        history = "none"

    class Wrong(TicketEnvironment):
        history = "some"  # type: ignore[assignment]

    for environment in (Last(), Nothing()):
        [task] = environment.tasks("train", 1)
        engine = ScriptedEngine(next_command)
        [run] = strategy(engine).act([Job(task=task, environment=environment)])  # type: ignore[call-arg]
        assert run.outcome.success is False, "what was looked up before is not shown, so the oracle never gets on"
        said = [text_of(message) for message in engine.requests[-1].messages]
        assert len(said) == 2
        assert ("tier" in said[1]) == (environment.history == "last")
        assert (task.context in said[1]) == (environment.history == "none")
    [task] = Wrong().tasks("train", 1)
    [run] = strategy(ScriptedEngine(next_command)).act([Job(task=task, environment=Wrong())])  # type: ignore[call-arg]
    assert "history must be one of full, last, none; got 'some'" in run.outcome.reason


class CallingEngine(ScriptedEngine):
    """Says its commands as tool calls."""

    def chat(self, requests: object) -> list[ChatReply]:
        replies = super().chat(requests)  # type: ignore[arg-type]
        made = [reply.text.partition(" ")[::2] for reply in replies]
        return [
            replace(reply, text="", tool_calls=(tool_call(name, {"argument": argument}, "same"),))
            for reply, (name, argument) in zip(replies, made, strict=True)
        ]


def test_calls_of_tools_are_answered_by_their_ids() -> None:
    environment, engine = TicketEnvironment(), CallingEngine(next_command)
    [task] = environment.tasks("train", 1)
    [run] = DirectStrategy(engine).act([Job(task=task, environment=environment)])
    assert run.outcome.success
    actions = [step for step in run.steps if isinstance(step, Action)]
    results = [step for step in run.steps if isinstance(step, ToolResult)]
    ids = [call["id"] for action in actions for call in action.tool_calls]
    assert ids == [result.tool_call_id for result in results]
    assert len(set(ids)) == len(ids)
    assert engine.requests[-1].messages[-1]["role"] == "tool"
    learned = samples([Episode(id="e", task=task, steps=run.steps, outcome=run.outcome)])
    assert [list(sample.messages) for sample in learned] == [list(request.messages) for request in engine.requests]
    assert learned[0].answer.startswith('<tool_call>\n{"name": "lookup_customer"')


def test_calls_written_as_text_are_read_where_the_task_has_tools() -> None:
    from lifelong.core import reply_text, tool_specification

    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    tools = tuple(tool_specification(name) for name in ("lookup_customer", "search_kb", "set_priority", "route"))

    def answer(request: ChatRequest) -> str:
        assert tuple(request.tools) == tools
        name, _, argument = next_command(request).partition(" ")
        return reply_text("", [tool_call(name, {"argument": argument}, "x")])

    asked: Task = replace(task, tools=tools)
    [run] = DirectStrategy(ScriptedEngine(answer)).act([Job(task=asked, environment=environment)])
    assert run.outcome.success
    learned = samples([Episode(id="e", task=asked, steps=run.steps, outcome=run.outcome)])
    assert all(sample.tools == tools for sample in learned)


def test_each_step_reads_only_what_is_new_since_the_last(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TicketEnvironment, "max_steps", 6)
    environment = TicketEnvironment()
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    jobs = [Job(task=task, environment=environment) for task in environment.tasks("train", 2)]
    taken_up = DirectStrategy(engine).act(jobs)
    engine.chat = partial(_read_anew, engine.chat)  # type: ignore[method-assign]
    anew = DirectStrategy(engine).act(jobs)
    engine.close()
    assert [run.steps for run in taken_up] == [run.steps for run in anew]
    assert [run.usage.cached_tokens for run in anew] == [0, 0]
    for run in taken_up:
        # Five of six prompts are read from the end of the one before; none of them is shorter.
        assert run.usage.cached_tokens > 0.6 * run.usage.prompt_tokens


def _read_anew(chat: Callable[[Sequence[ChatRequest]], list[ChatReply]], requests: Sequence[ChatRequest]) -> list[ChatReply]:
    return chat([replace(request, cache=None) for request in requests])
