"""An engine as a server: streams token by token, options and tools that reach it, errors by status, clients that leave."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from lifelong.core import Adapter, MalformedTask, Usage, check_cancelled
from lifelong.core.messages import tool_specification
from lifelong.interfaces.gateway.app import CODECS
from lifelong.interfaces.gateway.engine_transport import EngineTransport, asks_engine, request_of
from lifelong.interfaces.gateway.protocols.openai_chat import OpenAIChat
from lifelong.interfaces.gateway.upstream import CONVERSATION, Upstream
from lifelong.serving import ChatPiece, ChatReply, ChatRequest, Choice, EmbeddedEngine, UpstreamAddress


class Words:
    """An engine that says a word at a time and counts them."""

    model = "words"

    def __init__(self) -> None:
        self.made = 0
        self.requests: list[ChatRequest] = []

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        self.requests += requests
        return [ChatReply(text="one two", usage=Usage(prompt_tokens=3, completion_tokens=2), logprob=-0.5) for _ in requests]

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        self.requests.append(request)
        for number in range(1000):
            self.made += 1
            yield ChatPiece(text=f"{number} ")
        yield ChatPiece(reply=self.chat([request])[0])

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        raise AssertionError("nobody asks")

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def publish(self, adapter: Adapter) -> None:
        raise AssertionError("nobody asks")

    def retire(self, name: str) -> None:
        raise AssertionError("nobody asks")

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    yield engine
    engine.close()


def ask(engine: Any, **body: Any) -> httpx.Response:
    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=EngineTransport(engine, CODECS), base_url="http://engine") as client:
            return await client.post("/v1/chat/completions", json={**plain(engine), **body})

    return asyncio.run(post())


def plain(engine: Any) -> dict[str, Any]:
    return {"model": engine.model, "messages": [{"role": "user", "content": "go north"}], "max_tokens": 20}


def events(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in response.content.decode().split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_a_stream_has_the_text_of_the_whole_answer(engine: EmbeddedEngine) -> None:
    whole = ask(engine).json()
    chunks = events(ask(engine, stream=True, stream_options={"include_usage": True}))
    deltas = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    assert "".join(one["delta"].get("content") or "" for one in deltas) == whole["choices"][0]["message"]["content"]
    assert deltas[-1]["finish_reason"] == whole["choices"][0]["finish_reason"] == "length"
    assert len(deltas) > 5
    assert chunks[-1]["usage"] == whole["usage"]
    assert whole["usage"]["completion_tokens"] == 20


def test_a_conversation_is_read_once_by_its_name_and_by_no_other(engine: EmbeddedEngine) -> None:
    async def dialogue(names: list[str]) -> list[dict[str, Any]]:
        found, messages = [], list(plain(engine)["messages"])
        async with httpx.AsyncClient(transport=EngineTransport(engine, CODECS), base_url="http://engine") as client:
            for name in names:
                body = {**plain(engine), "messages": messages}
                answer = await client.post("/v1/chat/completions", json=body, extensions={CONVERSATION: name})
                found.append(answer.json())
                messages = [*messages, found[-1]["choices"][0]["message"], {"role": "user", "content": "and now?"}]
        return found

    def cached(answers: list[dict[str, Any]]) -> list[bool]:
        return [one["usage"].get("prompt_tokens_details", {}).get("cached_tokens", 0) > 0 for one in answers]

    def said(answers: list[dict[str, Any]]) -> list[str]:
        return [one["choices"][0]["message"]["content"] for one in answers]

    same, others, unnamed = (asyncio.run(dialogue(names)) for names in (["a"] * 3, ["a", "b", "c"], [""] * 3))
    assert cached(same) == [False, True, True]
    assert cached(others) == cached(unnamed) == [False] * 3
    assert said(same) == said(others) == said(unnamed)


def test_tools_are_called_with_arguments_that_fit(engine: EmbeddedEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"queue": {"enum": ["billing", "sales"]}},
        "required": ["queue"],
        "additionalProperties": False,
    }
    asked = {"tools": [tool_specification("route", "", schema)], "tool_choice": {"type": "function", "function": {"name": "route"}}}
    asked |= {"max_tokens": 200, "parallel_tool_calls": False}
    [choice] = ask(engine, **asked).json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    [call] = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["queue"] in ("billing", "sales")
    [streamed] = [one for chunk in events(ask(engine, stream=True, **asked)) for one in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert streamed == {"index": 0, **call}


def test_several_answers_differ(engine: EmbeddedEngine) -> None:
    choices = ask(engine, n=3, temperature=1.0, seed=5).json()["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in choices}) == 3


def asked(body: dict[str, Any]) -> tuple[ChatRequest, int]:
    codec = OpenAIChat()
    conversation = codec.parse(body)
    return request_of(conversation, codec.options(body), base="words"), conversation.count


def test_an_engine_is_asked_directly_only_where_nothing_else_can_answer() -> None:
    codec, message = OpenAIChat(), {"role": "user", "content": "x"}
    assert not asks_engine(codec, {"messages": [message], "max_tokens": 5, "temperature": 1, "top_p": 1, "presence_penalty": 0, "n": 1})
    assert not asks_engine(codec, {"messages": [message], "tools": [], "stream": False, "logprobs": False, "tool_choice": "auto"})
    for more in ({"stream": True}, {"seed": 0}, {"n": 2}, {"tools": [tool_specification("look")]}, {"logprobs": True}, {"stop": "x"}):
        assert asks_engine(codec, {"messages": [message], **more}), more
    with pytest.raises(MalformedTask, match="logit_bias"):
        asks_engine(codec, {"messages": [message], "logit_bias": {"5": 1}})


def test_every_option_reaches_the_engine() -> None:
    wanted = {"type": "json_object"}
    body = {**plain(Words()), "stop": "x", "seed": 4, "top_p": 1, "presence_penalty": 0.5, "frequency_penalty": -1, "logprobs": True}
    request, count = asked({**body, "response_format": wanted, "temperature": 0.7, "model": "a-v1"})
    assert (request.stop, request.seed, request.top_p, request.presence_penalty, request.frequency_penalty) == (("x",), 4, 1, 0.5, -1)
    assert (request.logprobs, request.response_format, request.temperature, request.adapter) == (True, wanted, 0.7, "a-v1")
    assert count == 1
    request, _ = asked({"model": "words", "messages": body["messages"], "stop": None, "tools": None, "seed": None})
    assert (request.max_tokens, request.adapter, request.seed) == (None, "", 0)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"logit_bias": {"5": 1}}, 400, "logit_bias"),
        ({"top_logprobs": 3}, 400, "top_logprobs"),
        ({"n": 2, "stream": True}, 400, "n is 2"),
        ({"seed": "a"}, 400, "seed"),
        ({"stop": [1]}, 400, "stop"),
        ({"top_p": 7}, 400, "top_p"),
        ({"response_format": {"type": "xml"}, "stream": True}, 400, "response_format"),
        ({"tool_choice": {"function": 1}}, 400, "tool_choice"),
        ({"model": "nobody-v1", "stream": True}, 404, "nobody-v1"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]}, 400, "image_url"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(engine: EmbeddedEngine, fields: dict[str, Any], status: int, said: str) -> None:
    response = ask(engine, **fields)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]


def test_the_first_byte_comes_early_and_a_client_that_leaves_ends_the_work() -> None:
    words = Words()

    async def read_a_little() -> None:
        address = UpstreamAddress(model="words", url="http://engine")
        upstream = Upstream(address, connections=4, seconds=60, transport=EngineTransport(words, CODECS))
        body = json.dumps({**plain(words), "stream": True}).encode()
        response = await upstream.send("POST", "/v1/chat/completions", [(b"content-type", b"application/json")], body)
        text = b""
        async for chunk in response.aiter_bytes():
            text += chunk
            if b"1 " in text:
                break
        await response.aclose()
        await upstream.close()

    asyncio.run(read_a_little())
    assert words.made < 20


class Calling(Words):
    """An engine whose reply is a tool call, which has nothing to show before its end."""

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        for _ in range(1000):
            check_cancelled()
            self.made += 1
            time.sleep(0.002)
        yield ChatPiece(reply=self.chat([request])[0])


@pytest.mark.parametrize("words", [Words(), Calling()], ids=["text", "call"])
def test_a_client_that_leaves_ends_the_work_on_a_whole_answer_too(words: Words) -> None:

    async def leave() -> None:
        address = UpstreamAddress(model="words", url="http://engine")
        upstream = Upstream(address, connections=4, seconds=60, transport=EngineTransport(words, CODECS))
        body = json.dumps({**plain(words), "top_p": 0.5}).encode()
        sending = asyncio.ensure_future(upstream.send("POST", "/v1/chat/completions", [(b"content-type", b"application/json")], body))
        while words.made < 5:
            await asyncio.sleep(0.001)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        made = words.made
        await asyncio.sleep(0.1)
        assert words.made <= made + 1, "nothing more is made"
        await upstream.close()

    asyncio.run(leave())
    assert words.made < 1000
