"""Messages in OpenAI's shape, and what a model without a template for tools reads of them."""

from __future__ import annotations

from typing import Any

import pytest

from lifelong.core import Message, has_text, plain_messages, read_reply, reply_text, text_of, tool_call, tool_specification
from lifelong.core.messages import marked_text, strings_in

CALL = tool_call("route", {"ticket": "T7", "queue": "billing"}, "call_1")
PARTS: list[dict[str, Any]] = [
    {"type": "text", "text": "What is"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    {"type": "file", "file": {"filename": "plan.pdf"}},
    {"type": "hologram", "depth": 3},
    {"type": "input_text", "text": "this?"},
]


def test_text_of_parts() -> None:
    message: Message = {"role": "user", "content": PARTS}
    assert text_of(message) == "What is\nthis?"
    assert marked_text(message) == "What is\n[image]\n[file plan.pdf]\n[hologram]\nthis?"
    assert text_of({"role": "assistant", "content": None}) == ""
    assert has_text(message)
    assert not has_text({"role": "user", "content": [{"type": "image_url"}]})
    assert not has_text({"role": "user", "content": " \u200b "})


@pytest.mark.parametrize("text", ["", "I look it up.", "two\nlines"])
@pytest.mark.parametrize("calls", [(), (CALL,), (CALL, tool_call("find", '{"id": 7}', "call_2"))])
def test_reply_text_is_read_again(text: str, calls: tuple[Any, ...]) -> None:
    said, found = read_reply(reply_text(text, calls))
    assert said == text
    assert [call["function"] for call in found] == [call["function"] for call in calls]
    assert [call["id"] for call in found] == [f"call_{number}" for number in range(len(calls))]


@pytest.mark.parametrize(
    "text", ["<tool_call>\n{broken\n</tool_call>", "<tool_call>[1]</tool_call>", '<tool_call>{"nome": 1}</tool_call>', "{}"]
)
def test_what_is_no_call_stays_text(text: str) -> None:
    assert read_reply(text) == (text, ())


def test_malformed_arguments_are_kept() -> None:
    call = tool_call("route", '{"ticket": ', "c")
    assert read_reply(reply_text("", [call]))[1][0]["function"]["arguments"] == '{"ticket": '


def test_plain_messages_stay_as_they_are() -> None:
    messages: list[Message] = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]
    assert plain_messages(messages) == messages


def test_plain_messages_write_calls_and_results() -> None:
    messages: list[Message] = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": PARTS},
        {"role": "assistant", "content": None, "tool_calls": [CALL, tool_call("find", {}, "call_2")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "routed"},
        {"role": "tool", "tool_call_id": "call_2", "content": "nothing"},
        {"role": "user", "content": "and?"},
    ]
    plain = plain_messages(messages, [tool_specification("route", "send it on")])
    assert [message["role"] for message in plain] == ["system", "user", "assistant", "user", "user"]
    assert all(isinstance(message["content"], str) for message in plain)
    assert text_of(plain[0]).startswith("be brief\n\n")
    assert '"name": "route"' in text_of(plain[0])
    assert read_reply(text_of(plain[2]))[1][0]["function"] == CALL["function"]
    assert text_of(plain[3]) == "<tool_response>\nrouted\n</tool_response>\n<tool_response>\nnothing\n</tool_response>"
    assert "tool_calls" not in plain[2]


def test_tools_are_told_without_a_system_message() -> None:
    plain = plain_messages([{"role": "user", "content": "a"}], [tool_specification("route")])
    assert [message["role"] for message in plain] == ["system", "user"]


def test_strings_leave_file_contents_out() -> None:
    assert list(strings_in(PARTS)) == ["text", "What is", "image_url", "file", "plan.pdf", "hologram", "input_text", "this?"]
    assert list(strings_in({"input_audio": {"data": "UklGR", "format": "wav"}})) == ["wav"]
