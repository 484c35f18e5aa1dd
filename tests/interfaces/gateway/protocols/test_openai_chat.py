"""OpenAI's chat protocol: what is read of a request and how an answer looks."""

from __future__ import annotations

import json

import pytest

from lifelong.core import MalformedTask, Reply, Usage
from lifelong.interfaces.gateway.protocols.openai_chat import OpenAIChat

CODEC = OpenAIChat()


def request(**more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "x"}], **more}


def test_developer_messages_are_instructions_and_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    read = CODEC.parse({"messages": [{"role": "developer", "content": "brief"}, {"role": "user", "content": parts}]})
    assert read.messages == ({"role": "system", "content": "brief"}, {"role": "user", "content": "a\nb"})


def test_options_are_read_under_old_and_new_names() -> None:
    read = CODEC.parse(request(max_tokens=5, temperature=0.5, user="ann", model="m", stream=None))
    assert (read.max_tokens, read.temperature, read.user, read.model, read.stream) == (5, 0.5, "ann", "m", False)
    assert CODEC.parse(request(max_tokens=5, max_completion_tokens=7)).max_tokens == 7
    assert CODEC.parse(request()).max_tokens is None


@pytest.mark.parametrize("field", ["temperature", "max_tokens", "n", "stream", "model", "user"])
def test_a_refused_field_is_named(field: str) -> None:
    with pytest.raises(MalformedTask, match=field):
        CODEC.parse(request(**{field: {"a": 1}}))


@pytest.mark.parametrize("text", [" ", "\u200b", "\u3164", "\u2800", "\u034f", "\u0301"])
def test_a_message_of_which_nothing_can_be_seen_is_refused(text: str) -> None:
    with pytest.raises(MalformedTask, match="can be seen"):
        CODEC.parse({"messages": [{"role": "user", "content": text}]})


def test_a_limit_that_long_context_models_have_is_read() -> None:
    assert CODEC.parse(request(max_tokens=128_000)).max_tokens == 128_000


def test_tools_that_take_text_are_called_like_functions() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}
    turns = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "y"},
    ]
    read = CODEC.parse({"messages": turns})
    expected = {"id": "c1", "type": "function", "function": {"name": "patch", "arguments": "*** Begin"}}
    assert read.messages[1]["tool_calls"] == [expected]
    choice = {"index": 0, "message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    whole = CODEC.read_reply({"choices": [choice]})
    reader = CODEC.read_stream()
    for piece in ({**call, "custom": {"name": "patch", "input": "*** "}}, {"custom": {"input": "Begin"}}):
        reader.take("", json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **piece}]}}]}))
    streamed = reader.answer()
    assert whole is not None
    assert streamed is not None
    assert whole.message["tool_calls"] == streamed.message["tool_calls"] == [expected]
    with pytest.raises(MalformedTask, match="needs a function"):
        CODEC.parse({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [{"id": "c"}]}]})


def test_an_answer_in_openais_shape() -> None:
    reply = Reply(
        id="e1", text="hi", model="lifelong", created=7, usage=Usage(prompt_tokens=2, completion_tokens=3), details={"skill": "s"}
    )
    assert CODEC.reply(reply, CODEC.parse(request())) == {
        "id": "e1",
        "object": "chat.completion",
        "created": 7,
        "model": "lifelong",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
        "lifelong": {"skill": "s"},
    }


def test_a_stream_ends_with_done_and_counts_tokens_only_when_asked() -> None:
    reply = Reply(id="e1", text="word " * 20, model="lifelong", created=7, usage=Usage(prompt_tokens=2, completion_tokens=3))
    asked = list(CODEC.stream(reply, CODEC.parse(request(stream=True, stream_options={"include_usage": True}))))
    plain = list(CODEC.stream(reply, CODEC.parse(request(stream=True))))
    assert asked[-1] == plain[-1] == "data: [DONE]\n\n"
    assert json.loads(asked[-2].removeprefix("data: "))["usage"]["total_tokens"] == 5
    assert [event for event in plain if "usage" in event] == []
