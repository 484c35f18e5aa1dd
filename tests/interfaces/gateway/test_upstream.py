"""The server behind the gateway: which headers go there and come back, and what is said where it is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_upstream import MODEL, ScriptedUpstream

from lifelong.core import EngineUnreachable
from lifelong.interfaces.gateway.upstream import Upstream, returned_headers
from lifelong.serving import UpstreamAddress


@pytest.fixture
def server() -> Iterator[ScriptedUpstream]:
    opened = ScriptedUpstream(lambda path, body: "fine")
    yield opened
    opened.close()


def sent(url: str, headers: list[tuple[bytes, bytes]], *, key: str = "", target: str = "/v1/chat/completions") -> httpx.Response:
    async def act() -> httpx.Response:
        address = UpstreamAddress(url=url.removesuffix("/v1"), model=MODEL, key=key)
        upstream = Upstream(address, connections=2, seconds=5)
        try:
            response = await upstream.send("POST", target, headers, b"{}")
            await response.aread()
            return response
        finally:
            await upstream.close()

    return asyncio.run(act())


def test_a_clients_headers_go_on_but_those_of_its_connection(server: ScriptedUpstream) -> None:
    headers = [(b"x-vendor", b"1"), (b"cookie", b"a=b"), (b"connection", b"x-hop"), (b"x-hop", b"1"), (b"x-lifelong-tenant", b"ann")]
    assert sent(server.url, [*headers, (b"authorization", b"Bearer theirs")]).status_code == 200
    seen = server.seen[-1][1]
    assert (seen["x-vendor"], seen["authorization"], seen["accept-encoding"]) == ("1", "Bearer theirs", "identity")
    assert not {"cookie", "x-hop", "x-lifelong-tenant"} & seen.keys()


@pytest.mark.parametrize(("target", "named"), [("/v1/chat/completions", False), ("/v1/messages", True)])
def test_a_key_of_ours_takes_the_place_of_theirs(server: ScriptedUpstream, target: str, named: bool) -> None:
    sent(server.url, [(b"authorization", b"Bearer theirs"), (b"api-key", b"theirs")], key="ours", target=target)
    seen = server.seen[-1][1]
    assert seen["authorization"] == "Bearer ours"
    assert (seen.get("x-api-key") == "ours") == named
    assert "theirs" not in str(seen)


def test_an_answers_headers_come_back_but_those_that_are_made_anew() -> None:
    raw: Any = [
        ("X-Vendor", "1"),
        ("Set-Cookie", "a=b"),
        ("Content-Length", "3"),
        ("Connection", "x-hop"),
        ("X-Hop", "1"),
        ("Retry-After", "7"),
    ]
    assert returned_headers(httpx.Response(200, headers=raw)) == [(b"x-vendor", b"1"), (b"retry-after", b"7")]


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineUnreachable, match=r"no connection to http://127\.0\.0\.1:9 .*check that the server runs"):
        sent("http://127.0.0.1:9/v1", [])
