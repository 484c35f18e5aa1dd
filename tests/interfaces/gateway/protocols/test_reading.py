"""Whatever an upstream answers, it reaches the client; what cannot be read is not remembered, and what was lost in a stream is repaired."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.core import Answer, PassingCodec
from lifelong.interfaces.gateway.protocols.anthropic_messages import AnthropicMessages
from lifelong.interfaces.gateway.protocols.openai_chat import OpenAIChat
from lifelong.interfaces.gateway.protocols.openai_responses import OpenAIResponses
from lifelong.interfaces.gateway.protocols.reading import GuardedReader, read_whole, recorded
from tests.interfaces.gateway.test_relay import DONE, STOP, Client, Server, pass_on, recording

CODECS = (OpenAIChat(), OpenAIResponses(), AnthropicMessages())


def event(**chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def delta(**said: Any) -> bytes:
    return event(id="c", choices=[{"index": 0, "delta": said}])


def called(index: Any, name: str) -> bytes:
    return delta(tool_calls=[{"index": index, "id": name, "function": {"name": name, "arguments": "{}"}}])


@pytest.mark.parametrize(
    "odd",
    [
        called([0], "f"),
        called("first", "f"),
        delta(content=5),
        delta(content=[5]),
        event(choices=[{"index": 0, "delta": {"content": "x"}}], usage=7),
        event(choices=5),
        b'data: {"choices": [], "usage": {"prompt_tokens": 1e999}}\n\n',
    ],
)
def test_an_odd_stream_goes_on_to_its_end(odd: bytes) -> None:
    client = Client()
    pass_on(Server([delta(content="w"), odd, STOP, DONE]), client, record=recording([], client))
    assert client.body == delta(content="w") + odd + STOP + DONE


@pytest.mark.parametrize(("first", "second"), [(None, 1), ("0", 1), (0, 1)])
def test_calls_that_are_not_numbered_or_by_text_are_read(first: Any, second: Any) -> None:
    client, kept = Client(), list[Answer]()
    pass_on(Server([called(first, "f"), called(second, "g"), STOP, DONE]), client, record=recording(kept, client))
    assert [call["function"]["name"] for call in kept[0].message["tool_calls"]] == ["f", "g"]


@pytest.mark.parametrize("count", [float("inf"), float("nan"), -5, 2**70, "many", None, True])
def test_what_is_no_count_of_tokens_costs_no_answer(count: Any) -> None:
    usages = ({"prompt_tokens": count}, {"input_tokens": count}, {"input_tokens": count, "cache_read_input_tokens": count})
    wholes: tuple[dict[str, Any], ...] = (
        {"choices": [{"message": {"content": "hi"}}]},
        {"object": "response", "output": [], "status": "completed"},
        {"type": "message", "content": [{"type": "text", "text": "hi"}]},
    )
    for codec, whole, usage in zip(CODECS, wholes, usages, strict=True):
        answer = read_whole(codec, {**whole, "usage": usage})
        assert answer is not None
        assert answer.usage.prompt_tokens in (0, 1, 2)


def test_halves_of_a_character_are_put_together_before_they_are_stored() -> None:
    client, kept = Client(), list[Answer]()
    stream = [delta(content="so \ud83d"), delta(content="\ude00 \ud800"), STOP, DONE]
    pass_on(Server(list(stream)), client, record=recording(kept, client))
    assert kept[0].message["content"] == "so \U0001f600 \ufffd"
    assert client.body == b"".join(stream)


def test_a_record_that_fails_costs_no_answer() -> None:
    async def failing(answer: Answer) -> bool:
        raise OverflowError

    assert not asyncio.run(recorded(failing, Answer(id="a", message={"role": "assistant", "content": "x"})))


WORDS = (
    *("type", "choices", "delta", "content", "tool_calls", "index", "function", "arguments", "name", "id", "usage", "prompt_tokens"),
    *("message", "finish_reason", "output", "item", "response", "content_block", "text", "partial_json", "stop_reason", "call_id", "role"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
KINDS = (
    "message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop", "response.completed",
    "response.output_item.done", "response",
)  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(CODECS), st.lists(JSON, max_size=6), st.sampled_from(KINDS))
def test_nothing_that_an_upstream_sends_raises(codec: PassingCodec, said: list[Any], kind: str) -> None:
    reader = GuardedReader(codec)
    for one in said:
        one = {"type": kind, **one} if isinstance(one, dict) else one
        reader.take(kind, json.dumps(one))
        read_whole(codec, one if isinstance(one, dict) else {})
    reader.answer()
