"""Requests to the server behind the gateway: which headers go on, and what is done about a server that is not there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from scripted_upstream import MODEL, ScriptedUpstream

from lifelong.core import EngineUnreachable
from lifelong.interfaces.gateway.upstream import Upstream, returned_headers
from lifelong.serving import UpstreamAddress

BODY = json.dumps({"model": MODEL}).encode()


@pytest.fixture
def server() -> Iterator[ScriptedUpstream]:
    opened = ScriptedUpstream(
        lambda path, body: (200, {"X-Request-Id": "7", "Set-Cookie": "a=b", "Connection": "x-hop", "X-Hop": "1"}, b"{}")
    )
    yield opened
    opened.close()


def send(server: ScriptedUpstream, headers: dict[str, str], *, path: str = "/v1/chat/completions", **address: str) -> httpx.Response:
    async def sending() -> httpx.Response:
        upstream = Upstream(UpstreamAddress(model=MODEL, url=server.url.removesuffix("/v1"), **address), connections=4, seconds=10)
        try:
            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            response = await upstream.send("POST", path, raw, BODY)
            await response.aread()
            return response
        finally:
            await upstream.close()

    return asyncio.run(sending())


def test_own_credentials_replace_the_clients(server: ScriptedUpstream) -> None:
    theirs = {"Authorization": "Bearer theirs", "X-Api-Key": "theirs", "Content-Type": "application/json"}
    send(server, theirs)
    assert (server.seen[-1][1]["authorization"], server.seen[-1][1]["x-api-key"]) == ("Bearer theirs", "theirs")
    send(server, theirs, key="ours")
    assert server.seen[-1][1]["authorization"] == "Bearer ours"
    assert "x-api-key" not in server.seen[-1][1]
    send(server, theirs, path="/v1/messages", key="ours")
    assert server.seen[-1][1]["x-api-key"] == "ours"
    send(server, theirs, user="me", password="secret")
    assert server.seen[-1][1]["authorization"].startswith("Basic ")
    assert "x-api-key" not in server.seen[-1][1]


def test_headers_of_an_answer_that_are_the_clients_business(server: ScriptedUpstream) -> None:
    names = {name for name, _ in returned_headers(send(server, {}))}
    assert b"x-request-id" in names
    assert not names & {b"set-cookie", b"connection", b"x-hop", b"content-length", b"date", b"server"}


def test_a_server_that_is_not_there_is_named_without_credentials() -> None:
    upstream = Upstream(UpstreamAddress(model="m", url="http://127.0.0.1:1", key="our-secret"), connections=1, seconds=1)
    with pytest.raises(EngineUnreachable, match=r"no connection to http://127\.0\.0\.1:1") as caught:
        asyncio.run(upstream.send("POST", "/v1/x", [], b"{}"))
    assert "our-secret" not in str(caught.value)
    assert upstream.hidden(b"bad key our-secret") == b"bad key ***"
