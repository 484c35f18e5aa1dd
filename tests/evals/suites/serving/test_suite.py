"""The serving suite starts real servers, asks them, and its ratios are those of its own figures."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from lifelong.core import EngineUnreachable
from lifelong.evals.suites.serving import load, stub, suite, targets
from lifelong.evals.suites.serving.load import Burst, Client, Timing
from lifelong.evals.suites.serving.plain_proxy import create_app
from lifelong.memory import Record


def with_stub(work: Callable[[int], Awaitable[None]]) -> None:
    """Run against the scripted upstream on a port of its own."""

    async def run() -> None:
        async with await asyncio.start_server(stub.serve, "127.0.0.1", 0) as server:
            await work(server.sockets[0].getsockname()[1])

    asyncio.run(run())


def test_a_streamed_answer_has_a_first_word_before_its_end() -> None:
    async def work(port: int) -> None:
        client = Client(port, stub.MODEL, load.random.Random(0))
        streamed, whole = await client.ask(streamed=True), await client.ask()
        client.close()
        assert streamed.first is not None
        assert stub.FIRST_WORD_SECONDS <= streamed.first <= streamed.seconds
        assert whole.first is None
        assert whole.seconds >= stub.FIRST_WORD_SECONDS

    with_stub(work)


def test_every_request_is_counted_at_a_rate_and_flat_out() -> None:
    async def work(port: int) -> None:
        client = Client(port, stub.MODEL, load.random.Random(0))
        held = await load.at_rate(client, rate=50, seconds=0.2)
        assert (len(held.timings), held.failed) == (10, 0)
        assert sum(one.first is not None for one in held.timings) == 5
        assert held.seconds >= 9 / 50
        most = await load.flat_out(client, seconds=0.2)
        client.close()
        assert len(most.timings) >= load.CLIENTS
        assert most.failed == 0

    with_stub(work)


def test_requests_that_are_not_answered_are_failures_and_no_timings() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run() -> Burst:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            return await load.at_rate(Client(server.sockets[0].getsockname()[1], "m", load.random.Random(0)), rate=50, seconds=0.1)

    burst = asyncio.run(run())
    assert (len(burst.timings), burst.failed) == (0, 5)
    rows = {row.metric: row.value for row in suite.rate_rows("case", {suite.UPSTREAM: burst})}
    assert rows["failed_share"] == 1
    assert rows["answer_p50_ms"] != rows["answer_p50_ms"], "nothing was answered, so there is no time"


def test_what_is_added_is_the_difference_to_the_upstream_alone() -> None:
    def burst(seconds: float) -> Burst:
        return Burst(timings=(Timing(seconds=seconds, first=seconds / 2), Timing(seconds=seconds)), failed=0, seconds=1.0)

    rows = suite.rate_rows("case", {suite.UPSTREAM: burst(0.02), suite.RECALL: burst(0.03)})
    found = {(row.method, row.metric): row.value for row in rows}
    assert found[suite.RECALL, "added_answer_p50_ms"] == pytest.approx(10)
    assert found[suite.RECALL, "added_first_word_p95_ms"] == pytest.approx(5)
    assert (suite.UPSTREAM, "added_answer_p50_ms") not in found


def test_the_plain_proxy_passes_status_body_and_type_on() -> None:
    class Pieces(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

    def upstream(request: httpx.Request) -> httpx.Response:
        assert request.read() == b"asked"
        return httpx.Response(429, headers={"content-type": "text/event-stream"}, stream=Pieces())

    async def run() -> httpx.Response:
        app = create_app("http://upstream", httpx.MockTransport(upstream))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://proxy") as client:
            return await client.post("/v1/chat/completions", content=b"asked")

    answer = asyncio.run(run())
    assert (answer.status_code, answer.content) == (429, b"one two")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_server_is_a_process_that_ends_with_its_use() -> None:
    port = targets.free_port()
    with targets.started("stub", targets.stub_command(port), port) as server:
        assert targets.answers(port, stub.MODEL)
        assert server.first_answer > 0
        assert server.resident_mb > 1
        assert server.processor_seconds >= 0
    assert server.process.poll() is not None
    assert not targets.answers(port, stub.MODEL)


def test_a_server_that_ends_at_once_is_named_with_its_command() -> None:
    with (
        pytest.raises(EngineUnreachable, match=r"proxy gave no answer.*sys\.exit"),
        targets.started("proxy", [sys.executable, "-c", "import sys; sys.exit(3)"], targets.free_port()),
    ):
        pytest.fail("it was taken for a server")


def test_litellm_is_measured_where_its_command_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert targets.litellm_command(1, 2, tmp_path) is None
    (tmp_path / "litellm").write_text("#!/bin/sh\n")
    (tmp_path / "litellm").chmod(0o755)
    command = targets.litellm_command(1, 2, tmp_path)
    assert command is not None
    assert command[0] == str(tmp_path / "litellm")
    (model,) = json.loads((tmp_path / "litellm.yaml").read_text())["model_list"]
    assert model["litellm_params"]["api_base"] == "http://127.0.0.1:2/v1"


def test_both_arms_begin_with_the_same_record(tmp_path: Path) -> None:
    suite.fill(tmp_path, 30)
    counts = []
    for name in (suite.CONTROL, suite.RECALL):
        with Record(tmp_path / name / "record.sqlite3") as record:
            counts.append(record.episodes.count(tenant=load.TENANT))
    assert counts == [30, 30]
