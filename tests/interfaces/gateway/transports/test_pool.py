"""Kept connections to one server: taken again, given up where they are of no use, never more than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from lifelong.interfaces.gateway.transports.pool import ConnectionPool


class Server:
    """Counts connections; answers each request with `ok` in chunks, as `wait` and `close` say."""

    def __init__(self) -> None:
        self.opened = 0
        self.open = 0
        self.asked: list[bytes] = []
        self.wait = asyncio.Event()
        self.wait.set()
        self.close = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked.append(head.split(b"\r\n")[0])
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                await self.wait.wait()
                writer.write(b"0\r\n\r\n")
                await writer.drain()
                if self.close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def serving(connections: int = 4, keep_seconds: float = 30) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        pool = ConnectionPool(url, connections=connections, keep_seconds=keep_seconds)
        async with httpx.AsyncClient(base_url=url, transport=pool, timeout=httpx.Timeout(5, pool=0.2)) as client:
            yield server, client


def ask(work: Callable[[Server, httpx.AsyncClient], Awaitable[None]], connections: int = 4, keep_seconds: float = 30) -> None:
    async def run() -> None:
        async with serving(connections, keep_seconds) as (server, client):
            await work(server, client)

    asyncio.run(run())


def test_a_connection_is_taken_again() -> None:
    async def work(server: Server, client: httpx.AsyncClient) -> None:
        for number in range(5):
            assert (await client.get(f"/p?q={number}")).text == "ok"
        assert server.opened == 1
        assert server.asked[-1] == b"GET /p?q=4 HTTP/1.1"
        await asyncio.gather(*(client.get("/") for _ in range(4)))
        assert server.opened <= 4

    ask(work)


def test_an_answer_that_is_given_up_ends_its_connection() -> None:
    async def work(server: Server, client: httpx.AsyncClient) -> None:
        server.wait.clear()
        async with client.stream("GET", "/") as answer:
            assert [part async for part in _first(answer)] == [b"ok"]
        server.wait.set()
        assert (await client.get("/")).text == "ok"
        assert server.opened == 2
        for _ in range(6):  # each was given back: there are four in all
            async with client.stream("GET", "/"):
                pass
        assert (await client.get("/")).text == "ok"

    ask(work)


async def _first(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for part in answer.aiter_bytes():
        yield part
        return


def test_a_connection_that_the_server_closed_or_that_was_idle_for_long_is_replaced() -> None:
    async def work(server: Server, client: httpx.AsyncClient) -> None:
        server.close = True
        for _ in range(3):
            assert (await client.get("/")).text == "ok"
            await asyncio.sleep(0.02)
        assert server.opened == 3

    ask(work)

    async def idle(server: Server, client: httpx.AsyncClient) -> None:
        await client.get("/")
        await asyncio.sleep(0.1)
        await client.get("/")
        assert server.opened == 2

    ask(idle, keep_seconds=0.05)


def test_idle_connections_that_nobody_needs_any_more_are_closed() -> None:
    async def work(server: Server, client: httpx.AsyncClient) -> None:
        server.wait.clear()
        many = [asyncio.ensure_future(client.get("/")) for _ in range(8)]
        while server.open < 8:
            await asyncio.sleep(0.01)
        server.wait.set()
        await asyncio.gather(*many)
        await asyncio.sleep(0.15)
        for _ in range(10):
            await client.get("/")
        await asyncio.sleep(0.05)
        assert server.open == 1

    ask(work, connections=8, keep_seconds=0.1)


def test_there_are_never_more_than_allowed_and_a_request_waits_for_one_in_vain_or_not() -> None:
    async def work(server: Server, client: httpx.AsyncClient) -> None:
        server.wait.clear()
        first = asyncio.ensure_future(client.get("/"))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.PoolTimeout):
            await client.get("/")
        second = asyncio.ensure_future(client.get("/"))
        await asyncio.sleep(0.05)
        server.wait.set()
        assert [(await one).text for one in (first, second)] == ["ok", "ok"]
        assert server.opened == 1

    ask(work, connections=1)


def test_a_request_that_is_cancelled_leaves_its_place() -> None:
    async def work(server: Server, client: httpx.AsyncClient) -> None:
        server.wait.clear()
        for _ in range(3):
            one = asyncio.ensure_future(client.get("/"))
            await asyncio.sleep(0.05)
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
        server.wait.set()
        assert (await client.get("/")).text == "ok"
        await asyncio.sleep(0.05)
        assert server.open == 1

    ask(work, connections=1)


def test_a_connection_that_comes_back_to_a_closed_pool_is_closed() -> None:
    """A server that ends while an answer is being read leaves no connection behind."""

    async def work(server: Server, client: httpx.AsyncClient) -> None:
        server.wait.clear()
        async with client.stream("GET", "/") as answer:
            await client._transport.aclose()
            server.wait.set()
            assert await answer.aread() == b"ok"
        await asyncio.sleep(0.05)
        assert (server.opened, server.open) == (1, 0)

    ask(work)


def test_errors_have_httpx_s_names() -> None:
    async def nobody() -> None:
        pool = ConnectionPool("http://127.0.0.1:1", connections=1, keep_seconds=1)
        async with httpx.AsyncClient(base_url="http://127.0.0.1:1", transport=pool) as client:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get("/")
                assert caught.value.request.url.path == "/"

    asyncio.run(nobody())

    async def slow(server: Server, client: httpx.AsyncClient) -> None:
        server.wait.clear()
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/", timeout=0.05)
        server.wait.set()

    ask(slow)


def test_what_a_request_costs_does_not_grow_with_the_connections() -> None:
    looked: list[int] = []

    async def work(server: Server, client: httpx.AsyncClient) -> None:
        from httpcore import AsyncHTTPConnection

        await asyncio.gather(*(client.get("/") for _ in range(32)))
        expired = AsyncHTTPConnection.has_expired
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AsyncHTTPConnection, "has_expired", lambda one: looked.append(1) or expired(one))
            await client.get("/")

    ask(work, connections=32)
    assert len(looked) <= 2
