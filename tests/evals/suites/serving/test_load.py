"""Requests over kept connections are timed, counted, and failures are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from lifelong.evals.suites.serving import load, stub
from lifelong.evals.suites.serving.load import Burst, Client


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
