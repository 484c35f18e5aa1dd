"""Steps, the messages that they are, and the record that they are written to."""

from __future__ import annotations

import json
from typing import Any

from lifelong.core import Action, Message, Observation, Recall, Reward, Task, Thought, ToolResult, from_messages, to_messages, tool_call
from lifelong.core.steps import steps_from_json, steps_to_json

TASK = Task(id="1", goal="route it", instructions="be brief")
CALL = tool_call("route", {"queue": "billing"}, "call_1")
MESSAGES: list[Any] = [
    {"role": "user", "content": "route it", "name": "ann"},
    {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "billing, of course"},
    {"role": "tool", "tool_call_id": "call_1", "content": "no such queue", "is_error": True},
    {"role": "system", "content": "two minutes left"},
    {
        "role": "user",
        "content": [{"type": "text", "text": "this one"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
    },
    {"role": "assistant", "content": "done"},
]


def test_messages_become_steps_and_messages_again() -> None:
    steps = from_messages(MESSAGES)
    assert [message for step in steps for message in step.to_messages()] == MESSAGES
    assert to_messages(TASK, steps) == [{"role": "system", "content": "be brief"}, *MESSAGES]
    kinds = [type(step) for step in steps]
    assert kinds == [Observation, Action, ToolResult, Observation, Observation, Action]
    result = steps[2]
    assert isinstance(result, ToolResult)
    assert (result.tool, result.error, result.tool_call_id) == ("route", True, "call_1")
    assert steps[4].text == "this one"


def test_steps_are_read_again() -> None:
    steps = (
        *from_messages(MESSAGES),
        Action(text="x", omitted=4, likelihood=-0.5),
        Thought(text="t"),
        Reward(text="", value=1.0),
        Recall(text="r", lessons=("l",)),
    )
    assert steps_from_json(json.loads(json.dumps(steps_to_json(steps)))) == steps


def test_steps_of_text_are_written_as_before() -> None:
    steps = (
        Observation(text="a"),
        Action(text="b", chosen=True, likelihood=-0.25),
        ToolResult(text="c", error=True),
        Reward(text="", value=0.5),
    )
    assert steps_to_json(steps) == [
        {"step": "observation", "text": "a"},
        {"step": "action", "text": "b", "chosen": True, "likelihood": -0.25},
        {"step": "tool_result", "text": "c", "error": True},
        {"step": "reward", "text": "", "value": 0.5},
    ]


def test_neighbours_of_one_role_become_one_turn_where_they_are_text() -> None:
    steps = (Observation(text="a"), Recall(text="r"), Action(text="b"), ToolResult(text="c"), Observation(text="d"))
    turns = to_messages(TASK, steps)
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[3]["content"] == "c\nd"
    answered = to_messages(
        TASK,
        [
            Observation(text="a"),
            Action(text="", tool_calls=(CALL,)),
            ToolResult(text="c", tool_call_id="call_1"),
            ToolResult(text="e", tool_call_id="call_2"),
        ],
    )
    assert [turn["role"] for turn in answered] == ["system", "user", "assistant", "tool", "tool"]


def test_all_that_a_step_says_can_be_read_and_removed() -> None:
    steps = from_messages(MESSAGES)
    assert "billing" in steps[1].full_text
    assert "of course" in steps[1].full_text
    assert "ann" in steps[0].full_text
    for step in steps:
        left = json.dumps(steps_to_json([step.emptied()]))
        assert not any(word in left for word in ("billing", "course", "ann", "queue", "minutes", "this one", "base64", "done"))
    assert Action(text="b").full_text == "b"


def test_mixed_turn_has_text_and_calls() -> None:
    [message] = Action(text="I route it.", tool_calls=(CALL,)).to_messages()
    wanted: Message = {"role": "assistant", "content": "I route it.", "tool_calls": [CALL]}
    assert message == wanted
