"""A request on its way to the upstream: silences, streams that break off, and what is held until it is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from lifelong.core import Answer
from lifelong.interfaces.gateway.errors import BadReply
from lifelong.interfaces.gateway.protocols.openai_chat import OpenAIChat
from lifelong.interfaces.gateway.relay import COMMENT, NOT_RECORDED, UNRECORDED_COMMENT, Passage, Relay, _with_silences

BODY = b'{"id": "x", "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}'
STREAM = [
    b'data: {"id": "x", "choices": [{"delta": {"role": "assistant", "content": "yes"}}]}\n\n',
    b'data: {"id": "x", "choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


class FakeUpstream:
    """Answers with what it was made with."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response

    async def send(self, *_: object) -> httpx.Response:
        return self.response

    def hidden(self, body: bytes) -> bytes:
        return body.replace(b"secret", b"***")


class Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


def relayed(response: httpx.Response, *, recorded: bool | None = True) -> tuple[list[dict[str, Any]], list[Answer]]:
    """What goes out, and what was recorded before its end."""
    sent: list[dict[str, Any]] = []
    answers: list[Answer] = []

    async def record(answer: Answer) -> bool:
        answers.append(answer)
        assert not any(message["type"] == "http.response.body" and not message.get("more_body") for message in sent)
        return bool(recorded)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def act() -> None:
        async def preparing() -> Passage:
            streamed = response.headers.get("content-type", "").startswith("text/event-stream")
            record_ = None if recorded is None else record
            return Passage(method="POST", target="/v1/chat/completions", headers=[], body=b"{}", streamed=streamed, record=record_)

        relay = Relay(FakeUpstream(response), OpenAIChat(), preparing(), keep_alive_seconds=5, ended=lambda: None)  # type: ignore[arg-type]
        await relay({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)

    asyncio.run(act())
    return sent, answers


def whole(status: int = 200, content: bytes = BODY) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": "application/json"}, stream=Pieces([content[:5], content[5:]]))


def stream(pieces: list[bytes]) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(pieces))


def bytes_of(sent: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def test_a_whole_answer_goes_out_unchanged_once_it_is_recorded() -> None:
    sent, [answer] = relayed(whole())
    assert bytes_of(sent) == BODY
    assert (sent[0]["status"], answer.message["content"]) == (200, "yes")
    assert NOT_RECORDED not in sent[0]["headers"]


def test_one_that_is_not_on_disk_says_so_and_goes_out_all_the_same() -> None:
    sent, _ = relayed(whole(), recorded=False)
    assert bytes_of(sent) == BODY
    assert NOT_RECORDED in sent[0]["headers"]
    sent, _ = relayed(stream(STREAM), recorded=False)
    assert bytes_of(sent).replace(UNRECORDED_COMMENT, b"") == b"".join(STREAM)
    assert UNRECORDED_COMMENT in bytes_of(sent)


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_a_stream_goes_out_byte_for_byte_however_it_is_cut(cut: int) -> None:
    everything = b"".join(STREAM)
    sent, [answer] = relayed(stream([everything[at : at + cut] for at in range(0, len(everything), cut)]))
    assert bytes_of(sent) == everything
    assert answer.message["content"] == "yes"
    assert answer.complete


def test_a_stream_that_breaks_off_ends_with_an_error_and_is_not_recorded() -> None:
    sent, answers = relayed(stream(STREAM[:1]))
    assert answers == []
    assert b"broke off before its end" in bytes_of(sent)


def test_an_error_of_the_upstream_is_passed_on_without_our_secrets() -> None:
    sent, answers = relayed(whole(429, b'{"error": "the secret key is over its limit"}'))
    assert sent[0]["status"] == 429
    assert b"the *** key" in bytes_of(sent)
    assert answers == []


def test_what_is_no_json_is_an_error_only_where_it_should_be_recorded() -> None:
    sent, _ = relayed(whole(200, b"<html>"))
    assert sent[0]["status"] >= 500
    assert b"no JSON object" in bytes_of(sent)
    assert bytes_of(relayed(whole(200, b"<html>"), recorded=None)[0]) == b"<html>"


def test_silences_are_seen_and_a_break_is_an_error_of_ours() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.12)
        yield b"b"
        raise httpx.ReadError("reset")

    async def act() -> list[bytes | None]:
        found: list[bytes | None] = []
        chunks = _with_silences(slow(), 0.05)
        while b"b" not in found:
            found.append(await anext(chunks))
        with pytest.raises(BadReply, match="broke off"):
            await anext(chunks)
        return found

    found = asyncio.run(act())
    assert [one for one in found if one is not None] == [b"a", b"b"]
    assert None in found[1:-1]
    assert COMMENT.startswith(b":")
