"""One request on its way: what the client sees of streams that end well, break off, stay silent, or are left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from lifelong.core import Answer
from lifelong.interfaces.gateway.protocols.openai_chat import OpenAIChat
from lifelong.interfaces.gateway.relay import Passage, Relay

WORD = b'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "w"}}]}\n\n'
STOP = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


class Server:
    """Stands for an `Upstream`: answers with given chunks, with pauses where a number stands."""

    def __init__(self, chunks: list[bytes | float], status: int = 200, kind: str = "text/event-stream") -> None:
        self.chunks, self.status, self.kind = chunks, status, kind
        self.closed = False

    async def send(self, *_: object) -> httpx.Response:
        server = self

        class Body(httpx.AsyncByteStream):
            async def __aiter__(self) -> Any:
                for chunk in server.chunks:
                    if isinstance(chunk, float):
                        await asyncio.sleep(chunk)
                    else:
                        yield chunk

            async def aclose(self) -> None:
                server.closed = True

        return httpx.Response(self.status, headers={"content-type": self.kind}, stream=Body())

    def hidden(self, body: bytes) -> bytes:
        return body


class Client:
    """The client's side of ASGI; it may leave after some time."""

    def __init__(self, leaves: float | None = None) -> None:
        self.leaves, self.status, self.body, self.headers, self.sent = leaves, 0, b"", dict[bytes, bytes](), list[bytes]()

    async def receive(self) -> dict[str, str]:
        await asyncio.sleep(3600 if self.leaves is None else self.leaves)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message["body"]
            self.sent.append(message["body"])


Record = Callable[[Answer], Awaitable[bool]]


def pass_on(server: Server, client: Client, *, record: Record | None, streamed: bool = True, keep_alive: float = 30) -> None:
    async def passage() -> Passage:
        return Passage(method="POST", target="/x", headers=[], body=b"{}", streamed=streamed, record=record)

    async def scenario() -> None:
        ended = []
        relay = Relay(server, OpenAIChat(), passage(), keep_alive_seconds=keep_alive, ended=lambda: ended.append(1))  # type: ignore[arg-type]
        await relay({"type": "http"}, client.receive, client.send)
        assert ended == [1]

    asyncio.run(scenario())


def recording(kept: list[Answer], client: Client, written: bool = True) -> Record:
    async def record(answer: Answer) -> bool:
        assert DONE not in client.body, "the end waits until the answer is recorded"
        kept.append(answer)
        return written

    return record


def test_the_end_of_a_stream_waits_for_the_record() -> None:
    client, kept = Client(), list[Answer]()
    pass_on(Server([WORD, STOP + DONE]), client, record=recording(kept, client))
    assert client.body == WORD + STOP + DONE
    assert (kept[0].message["content"], kept[0].finish_reason) == ("w", "stop")


def test_an_answer_that_could_not_be_recorded_yet_says_so() -> None:
    client = Client()
    pass_on(Server([WORD, STOP, DONE]), client, record=recording([], client, written=False))
    assert client.body == WORD + STOP + b": not recorded yet\n\n" + DONE
    whole = Client()
    body = b'{"choices": [{"message": {"content": "x"}}]}'
    pass_on(Server([body], kind="application/json"), whole, record=recording([], whole, written=False), streamed=False)
    assert (whole.body, whole.headers[b"x-lifelong-recorded"]) == (body, b"no")


@pytest.mark.parametrize("chunks", [[WORD], [WORD, b'data: {"choices'], [], [b"nothing of the kind\n\n"]])
def test_a_stream_without_its_end_gets_one_and_is_not_recorded(chunks: list[bytes | float]) -> None:
    client, kept = Client(), list[Answer]()
    pass_on(Server(chunks), client, record=recording(kept, client))
    assert kept == []
    assert b"broke off" in client.body
    assert client.body.endswith(DONE)


def test_a_stream_that_ends_without_the_last_mark_is_whole_all_the_same() -> None:
    client, kept = Client(), list[Answer]()
    pass_on(Server([WORD, STOP]), client, record=recording(kept, client))
    assert (client.body, len(kept)) == (WORD + STOP, 1)


def test_silence_gets_comments_between_events() -> None:
    client = Client()
    pass_on(Server([WORD, 0.5, STOP, DONE]), client, record=None, keep_alive=0.1)
    assert client.body.startswith(WORD + b": ")
    assert client.body.endswith(STOP + DONE)


def test_a_client_that_leaves_ends_it_and_nothing_is_recorded() -> None:
    client, kept, server = Client(leaves=0.2), list[Answer](), Server([WORD, 30.0, STOP, DONE])
    pass_on(server, client, record=recording(kept, client))
    assert kept == []
    assert server.closed
    assert client.sent[-1] == WORD


def test_an_errors_status_and_body_go_on() -> None:
    client = Client()
    pass_on(Server([b'{"error": 1}'], status=418, kind="application/json"), client, record=None)
    assert (client.status, client.body, client.headers[b"content-length"]) == (418, b'{"error": 1}', b"12")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>"])
def test_what_is_no_answer_is_a_502(body: bytes) -> None:
    client = Client()
    pass_on(Server([body], kind="application/json"), client, record=recording([], client), streamed=False)
    assert client.status == 502
    assert b"no JSON object" in client.body
