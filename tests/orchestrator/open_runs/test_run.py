"""A run under way: its turns, its calls, its outcome."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import Action, Judge, MalformedTask, Message, Task, ToolResult, tool_call

CALL = tool_call("route", {"queue": "billing"}, "call_1")


def task() -> Task:
    return Task(id="t", goal="Route ticket T7.", environment="tickets-v1", skill="tickets", session="s")


def test_threads_append_to_one_run(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        run = learner.runs.begin(task(), id="run", messages=[])

        def work(number: int) -> None:
            for turn in range(10):
                run.tool("count", {"thread": number, "turn": turn}, turn)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        steps = run.steps
        assert len(steps) == 80
        for action, result in zip(steps[::2], steps[1::2], strict=True):
            assert isinstance(action, Action)
            assert isinstance(result, ToolResult)
            assert action.tool_calls[0]["id"] == result.tool_call_id


def test_a_correction_may_be_a_tool_call(tmp_path: Path) -> None:
    right: Message = {"role": "assistant", "content": None, "tool_calls": [tool_call("route", {"queue": "network"}, "x")]}
    with open_scripted(tmp_path) as learner:
        run = learner.runs.begin(task())
        run.act(tool_calls=[CALL])
        episode = run.finish()
        corrected = learner.runs.judge(episode.id, None, judge=Judge.USER, correction=right)
        assert corrected.outcome.success is False
        assert corrected.correction == '<tool_call>\n{"name": "route", "arguments": {"queue": "network"}}\n</tool_call>'
        with pytest.raises(MalformedTask, match="very answer"):
            learner.runs.judge(episode.id, None, judge=Judge.USER, correction={**right, "tool_calls": [CALL]})
        with pytest.raises(MalformedTask, match="score"):
            learner.runs.judge(episode.id, True, 1.5)


def test_a_call_that_the_turn_made_already_is_not_repeated(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner, learner.run(task()) as run:
        run.act("Both.", [tool_call("a", {"x": 1}, "first"), tool_call("a", {"x": 2}, "second")])
        run.tool("a", {"x": 2}, "two")
        run.tool("a", {"x": 1}, "one")
        run.tool("a", {"x": 1}, "one again")
        steps = run.steps
        assert [step.tool_call_id for step in steps if isinstance(step, ToolResult)][:2] == ["second", "first"]
        assert sum(isinstance(step, Action) for step in steps) == 2
