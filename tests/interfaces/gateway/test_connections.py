"""Half-sent requests on real sockets: other clients are answered, what is held is bounded, and it ends by itself."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from running_gateway import EchoEngine, RunningGateway

from lifelong.core.settings import GatewaySettings
from lifelong.interfaces.gateway.connections import GuardedProtocol

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
CHAT = json.dumps({"messages": [{"role": "user", "content": "x"}]}).encode()
MANY = 300
HELD: list[socket.socket] = []
"""Every socket that a test has opened; they are closed with its servers."""


@pytest.fixture
def open_gateway(tmp_path: Path) -> Iterator[Callable[..., RunningGateway]]:
    with ExitStack() as stack:

        def opened(**limits: float) -> RunningGateway:
            gateway = RunningGateway(tmp_path, EchoEngine(), GatewaySettings(**limits))  # type: ignore[arg-type]
            stack.callback(gateway.close)
            return gateway

        yield opened
        while HELD:
            HELD.pop().close()


def connect(gateway: RunningGateway, data: bytes = b"") -> socket.socket:
    one = socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=20)
    HELD.append(one)
    one.sendall(data)
    return one


def health_seconds(gateway: RunningGateway) -> float:
    started = time.perf_counter()
    assert httpx.get(f"{gateway.url}/health", timeout=10).status_code == 200
    return time.perf_counter() - started


def is_closed(one: socket.socket, seconds: float) -> bool:
    """Whether the server ends the connection within so many seconds."""
    one.settimeout(seconds)
    try:
        while one.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /health HTTP/1.1\r\nHost: x\r\n",
        HEAD + b"Content-Length: 5000\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
    ids=["nothing", "head", "body", "chunks"],
)
def test_many_half_requests_do_not_keep_others_waiting_and_end_by_themselves(
    open_gateway: Callable[..., RunningGateway], half: bytes
) -> None:
    gateway = open_gateway(head_seconds=2, body_seconds=2, max_running=8, max_waiting=8, max_connections=100)
    halves = [connect(gateway, half) for _ in range(MANY)]
    assert max(health_seconds(gateway) for _ in range(5)) < 1
    assert gateway.ask("am I served?").choices[0].message.content == "AM I SERVED?"
    assert len(gateway.connections) <= 101
    started = time.perf_counter()
    assert all(is_closed(one, 10) for one in halves)
    assert time.perf_counter() - started < 8


def test_a_slow_drip_is_ended_too(open_gateway: Callable[..., RunningGateway]) -> None:
    gateway = open_gateway(head_seconds=1, body_seconds=1)
    for start in (b"GET /health HTTP/1.1\r\nHost: x\r\n", HEAD + b"Content-Length: 5000\r\n\r\n"):
        one, started = connect(gateway, start), time.perf_counter()
        while time.perf_counter() - started < 10:
            try:
                one.sendall(b"x")
            except OSError:
                break
            time.sleep(0.1)
        assert time.perf_counter() - started < 5


def test_a_second_half_request_on_a_kept_connection_is_ended(open_gateway: Callable[..., RunningGateway]) -> None:
    gateway = open_gateway(head_seconds=1)
    one = connect(gateway, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert b"200 OK" in one.recv(4096)
    one.sendall(b"GET /health HTTP/1.1\r\n")
    assert is_closed(one, 5)


def test_endless_chunked_bodies_hold_bounded_memory(open_gateway: Callable[..., RunningGateway], monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = open_gateway(body_seconds=20)
    guard = gateway.guard
    monkeypatch.setattr(guard, "_max_pending_bytes", 4 << 20)
    piece = b"80000\r\n" + b"x" * 0x80000 + b"\r\n"
    for _ in range(40):
        one = connect(gateway, HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            one.sendall(piece)
        except OSError:
            continue
        assert guard.pending_bytes <= (4 << 20) + 65_536 * 4
    deadline = time.monotonic() + 10
    while guard.evicted < 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert guard.evicted >= 20
    assert health_seconds(gateway) < 1
    assert gateway.ask("w" * 900_000).choices[0].message.content.startswith("WW")


def test_slow_answers_are_not_cut_by_the_deadlines(open_gateway: Callable[..., RunningGateway]) -> None:
    gateway = open_gateway(head_seconds=0.3, body_seconds=0.3)
    gateway.engine.pause = 1.0  # type: ignore[attr-defined]
    assert gateway.ask("slow").choices[0].message.content == "SLOW"


def test_a_full_queue_is_told_to_come_back_and_health_answers(open_gateway: Callable[..., RunningGateway]) -> None:
    gateway = open_gateway(max_running=2, max_waiting=2)
    gateway.engine.pause = 2.0  # type: ignore[attr-defined]
    length = b"Content-Length: %d\r\n\r\n" % len(CHAT)
    chats = [connect(gateway, HEAD + length + CHAT) for _ in range(12)]
    assert health_seconds(gateway) < 1
    answers = [one.recv(65_536) for one in chats]
    refused = [answer for answer in answers if b" 503 " in answer.split(b"\r\n")[0]]
    assert len(refused) == 8
    assert all(b"retry-after: 1" in answer.lower() for answer in refused)
    assert httpx.get(f"{gateway.url}/ready").json() == {"status": "ready"}
    assert "lifelong_requests_refused_total 8" in httpx.get(f"{gateway.url}/metrics").text


def test_bad_requests_do_not_fill_the_log(open_gateway: Callable[..., RunningGateway], caplog: pytest.LogCaptureFixture) -> None:
    gateway = open_gateway()
    log = logging.getLogger("uvicorn.error")
    log.addHandler(caplog.handler)
    try:
        for _ in range(150):
            connect(gateway, b"\x00\x01 nonsense\r\n\r\n").recv(4096)
    finally:
        log.removeHandler(caplog.handler)
    assert 0 < len(caplog.records) <= 120
    assert health_seconds(gateway) < 1


def test_two_lengths_are_refused_and_nothing_is_answered_twice(open_gateway: Callable[..., RunningGateway]) -> None:
    gateway = open_gateway()
    hidden = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    body = b"0\r\n\r\n" + hidden
    one = connect(gateway, HEAD + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(body) + body)
    answer = b""
    while piece := one.recv(65_536):
        answer += piece
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Content-Length and Transfer-Encoding" in answer


def test_a_phase_that_has_ended_holds_nothing(open_gateway: Callable[..., RunningGateway]) -> None:
    gateway = open_gateway()
    for _ in range(3):
        gateway.ask("hello")
    gateway.client.close()
    time.sleep(0.3)
    assert gateway.guard.pending_bytes == 0
    assert all(isinstance(one, GuardedProtocol) for one in gateway.connections)
