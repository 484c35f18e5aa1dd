"""Tenants by header and by field, and requests that nothing should read."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest
from starlette.requests import Request

from lifelong.core import MalformedTask
from lifelong.interfaces.gateway.requests import json_body, refusal, tenant_of, while_connected


def request(*headers: tuple[bytes, bytes], body: bytes = b"") -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": list(headers)}, receive)


def named(value: bytes) -> Request:
    return request((b"x-lifelong-tenant", value))


@pytest.mark.parametrize("spelling", ["Zoë", "Zoe\u0308"])
def test_one_name_is_one_tenant_whichever_way_it_comes(spelling: str) -> None:
    by_header = tenant_of(named(spelling.encode()), None, required=False)
    by_field = tenant_of(request(), spelling, required=True)
    assert by_header == by_field == "Zo\u00eb"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("Zoë".encode("latin-1"), "UTF-8"),
        (b"x" * 60_000, "at most 256"),
        ("\u200b".encode(), "invisible"),
        (b"\xed\xa0\x80", "UTF-8"),
        (b"", "blank"),
        (b" ", "blank"),
    ],
)
def test_names_that_are_none_are_refused_with_the_reason(value: bytes, says: str) -> None:
    with pytest.raises(MalformedTask, match=says):
        tenant_of(named(value), "bob", required=False)


def test_two_names_are_refused_and_the_header_wins_over_the_field() -> None:
    with pytest.raises(MalformedTask, match="send it once"):
        tenant_of(request((b"x-lifelong-tenant", b"ann"), (b"x-lifelong-tenant", b"bob")), None, required=False)
    assert tenant_of(named(b"ann"), "bob", required=False) == "ann"


def test_clients_without_a_name_share_one_unless_a_name_is_required() -> None:
    assert tenant_of(request(), None, required=False) == "default"
    with pytest.raises(MalformedTask, match="named tenants only"):
        tenant_of(request(), None, required=True)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "not valid JSON"),
        (b"1" * 5000, "not valid JSON"),
    ],
)
def test_what_is_not_json_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(MalformedTask, match=says):
        asyncio.run(json_body(request((b"content-type", b"application/json"), body=body)))


@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-www-form-urlencoded", b""])
def test_other_content_types_are_refused(kind: bytes) -> None:
    with pytest.raises(MalformedTask, match="send application/json"):
        asyncio.run(json_body(request((b"content-type", kind), body=b"{}")))


def test_json_is_read_whatever_its_exact_type() -> None:
    for kind in (b"application/json; charset=utf-8", b"application/vnd.api+json"):
        assert asyncio.run(json_body(request((b"content-type", kind), body=b'{"a": "\\u00eb"}'))) == {"a": "ë"}


@pytest.mark.parametrize(
    ("host", "refused"), [(b"127.0.0.1:8321", False), (b"localhost", False), (b"[::1]:1", False), (b"evil.example", True), (b"", False)]
)
def test_unknown_hosts_are_refused(host: bytes, refused: bool) -> None:
    hosts = frozenset({"localhost", "127.0.0.1", "[::1]"})
    assert bool(refusal({"headers": [(b"host", host)]}, hosts)) is refused
    assert refusal({"headers": [(b"host", host)]}, frozenset({"*"})) is None


@pytest.mark.parametrize("leaves", [True, False])
def test_a_client_that_leaves_cancels_and_one_that_stays_does_not(leaves: bool) -> None:
    cancelled = Event()

    async def receive() -> dict[str, str]:
        await asyncio.sleep(0 if leaves else 60)
        return {"type": "http.disconnect"}

    async def work() -> str:
        await asyncio.sleep(0.05)
        return "done"

    assert asyncio.run(while_connected(receive, work(), cancelled)) == "done"
    assert cancelled.is_set() is leaves
