"""The codec's contract check passes for every codec of the gateway and catches codecs that break a rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lifelong.checks import CodecSamples, check_codec
from lifelong.core import Codec, Conversation, Reply
from lifelong.interfaces.gateway.app import CODECS
from lifelong.interfaces.gateway.protocols.openai_chat import OpenAIChat


def _stream_text(events: Sequence[str]) -> str:
    payloads = [event.removeprefix("data: ").strip() for event in events]
    chunks = [json.loads(payload) for payload in payloads if payload != "[DONE]"]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


OPENAI = CodecSamples(
    request=lambda turns: {"model": "lifelong", "messages": [{"role": role, "content": text} for role, text in turns]},
    streamed={"stream": True, "stream_options": {"include_usage": True}},
    text_of=lambda body: body["choices"][0]["message"]["content"],
    text_of_stream=_stream_text,
    error_text=lambda body: body["error"]["message"],
    refused=(
        {"messages": [{"role": "wizard", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x"}], "temperature": 3},
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
        {"messages": [{"role": "user", "content": "x"}], "temperature": float("nan")},
        {"messages": [{"role": "user", "content": "lone \ud800 surrogate"}]},
    ),
)


def _data(events: Sequence[str]) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for event in events for line in event.split("\n") if line.startswith("data: ")]


RESPONSES = CodecSamples(
    request=lambda turns: {"model": "lifelong", "input": [{"role": role, "content": text} for role, text in turns]},
    streamed={"stream": True},
    text_of=lambda body: body["output"][0]["content"][0]["text"],
    text_of_stream=lambda events: "".join(one["delta"] for one in _data(events) if one["type"] == "response.output_text.delta"),
    error_text=lambda body: body["error"]["message"],
    refused=(
        {"input": []},
        {"input": [{"role": "wizard", "content": "x"}]},
        {"input": [{"role": "user", "content": None}]},
        {"input": [{"role": "user", "content": ["x"]}]},
        {"input": "x", "temperature": 3},
        {"input": "x", "max_output_tokens": 0},
        {"input": "lone \ud800 surrogate"},
    ),
)
ANTHROPIC = CodecSamples(
    request=lambda turns: {
        "model": "lifelong",
        "max_tokens": 100,
        **{role: text for role, text in turns if role == "system"},
        "messages": [{"role": role, "content": text} for role, text in turns if role != "system"],
    },
    streamed={"stream": True},
    text_of=lambda body: body["content"][0]["text"],
    text_of_stream=lambda events: "".join(one["delta"]["text"] for one in _data(events) if one["type"] == "content_block_delta"),
    error_text=lambda body: body["error"]["message"],
    refused=(
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x"}], "temperature": 2},
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
        {"messages": [{"role": "user", "content": "lone \ud800 surrogate"}]},
    ),
)
SAMPLES = {"openai-chat": OPENAI, "openai-responses": RESPONSES, "anthropic-messages": ANTHROPIC}


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_every_member_keeps_the_rules(codec: Codec) -> None:
    check_codec(codec, SAMPLES[codec.name])


class Stripping(OpenAIChat):
    """Tidies up what clients send."""

    def parse(self, body: object) -> Conversation:
        read = super().parse(body)
        return replace(read, messages=tuple({**one, "content": one["content"].strip()} for one in read.messages))  # type: ignore[arg-type]


class Leaking(OpenAIChat):
    """Lets a raw error out."""

    def parse(self, body: object) -> Conversation:
        if not isinstance(body, dict):
            raise TypeError("not a dictionary")
        return super().parse(body)


class Changing(OpenAIChat):
    """Writes into its input."""

    def parse(self, body: object) -> Conversation:
        read = super().parse(body)
        body.pop("model", None)  # type: ignore[attr-defined]
        return read


class Strict(OpenAIChat):
    """Refuses fields that it does not know."""

    def parse(self, body: object) -> Conversation:
        assert not isinstance(body, dict) or set(body) <= {"model", "messages", "stream", "stream_options"}
        return super().parse(body)


class Lossy(OpenAIChat):
    """Loses the end of a stream's text."""

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        yield from super().stream(replace(reply, text=reply.text[:24]), conversation)


class Uncut(OpenAIChat):
    """Never says that an answer was cut off."""

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        return super().reply(replace(reply, cut=False), conversation)


class Nameless(OpenAIChat):
    """Gives an answer no id."""

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        return {**super().reply(reply, conversation), "id": "always"}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Stripping, "exact text"),
        (Changing, "leaves its input"),
        (Lossy, "pieces of a stream"),
        (Uncut, "cut off"),
        (Nameless, "names itself"),
    ],
)
def test_a_broken_codec_is_caught_with_the_rule(broken: type[OpenAIChat], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_codec(broken(), OPENAI)


@pytest.mark.parametrize("broken", [Leaking, Strict])
def test_a_codec_that_raises_something_else_is_caught(broken: type[OpenAIChat]) -> None:
    with pytest.raises(AssertionError, match=r"MalformedTask|unknown fields"):
        check_codec(broken(), OPENAI)


def test_a_codec_without_a_verb_is_no_codec() -> None:
    class Half:
        name, path = "half", "/half"

        def parse(self, body: Mapping[str, Any]) -> None:
            return None

    with pytest.raises(AssertionError, match="every member"):
        check_codec(Half(), OPENAI)  # type: ignore[arg-type]
