"""Anthropic's messages protocol: what is read of a request, and an answer put together from its stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lifelong.interfaces.gateway.protocols.anthropic_messages import AnthropicMessages

CODEC = AnthropicMessages()
TOOL = {"name": "look", "description": "look up", "input_schema": {"type": "object"}}
CONVERSATION = {
    "model": "claude-x",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "billing header"}, {"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
    "tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}],
    "messages": [
        {"role": "user", "content": "find it"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "and hurry"},
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "not there"}], "is_error": True},
            ],
        },
    ],
}


def test_results_of_tools_are_messages_of_their_own() -> None:
    read = CODEC.parse(CONVERSATION)
    call = {"id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}}
    assert read.messages == (
        {"role": "system", "content": "billing header\nbe brief"},
        {"role": "user", "content": "find it"},
        {"role": "assistant", "content": "I look.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "not there", "is_error": True},
        {"role": "user", "content": "and hurry"},
    )
    assert read.sources == (-1, 0, 1, 2, 2)
    assert [tool["function"]["name"] for tool in read.tools] == ["look"]


def test_a_systems_message_may_stand_among_the_turns() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "system", "content": [{"type": "text", "text": "the date has changed"}]}]
    read = CODEC.parse({"messages": turns})
    assert read.messages == ({"role": "user", "content": "a"}, {"role": "system", "content": "the date has changed"})
    assert read.sources == (0, 1)


def test_pictures_stay_parts() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    read = CODEC.parse({"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, image]}]})
    assert read.messages[0]["content"] == [{"type": "text", "text": "see"}, image]


def events(*payloads: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(one["type"]), json.dumps(one)) for one in payloads]


STREAM = events(
    {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 5, "cache_read_input_tokens": 7}}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "I "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "look."}},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"q":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": " 1}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
)


def test_a_stream_is_put_together() -> None:
    reader = CODEC.read_stream()
    assert [reader.take(*event) for event in STREAM] == [False] * (len(STREAM) - 1) + [True]
    answer = reader.answer()
    assert answer is not None
    assert (answer.id, answer.finish_reason, answer.complete) == ("msg_1", "tool_use", True)
    assert answer.message["content"] == "I look."
    assert answer.message["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"q": 1}'}
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (12, 9)


@pytest.mark.parametrize("last", [("error", '{"type": "error", "error": {"message": "x"}}'), ("x", "{"), ("x", "[]"), ("", "")])
def test_a_stream_that_fails_is_no_whole_answer(last: tuple[str, str]) -> None:
    reader = CODEC.read_stream()
    assert reader.answer() is None
    for event in [*STREAM[:8], last]:
        reader.take(*event)
    answer = reader.answer()
    assert answer is not None
    assert not answer.complete


def test_a_whole_message() -> None:
    body = {"id": "msg_1", "type": "message", "content": CONVERSATION["messages"][1]["content"], "stop_reason": "tool_use", "usage": None}  # type: ignore[index]
    answer = CODEC.read_reply(body)
    assert answer is not None
    assert answer.message == CODEC.parse(CONVERSATION).messages[2]
    assert CODEC.read_reply({"type": "error"}) is None
    assert CODEC.read_reply({"type": "message"}) is None
    assert CODEC.read_reply({"type": "message", "content": 7}) is None


def test_errors_have_anthropics_names() -> None:
    assert CODEC.error("service_unavailable", "x") == {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}
    assert CODEC.error_events("api_error", "x").startswith(b"event: error\ndata: ")
