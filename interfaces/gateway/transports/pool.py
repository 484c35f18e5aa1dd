"""`ConnectionPool`: kept connections to one server, at a cost that does not grow with their number.

httpx's own pool looks at every connection twice for each request, and at each once more for every one of them, so that with some dozens
under way most of a request's time goes there. One server needs no search: the connection that came back last is the next to be taken.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager

import httpcore
import httpx

_NAMED = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class ConnectionPool(httpx.AsyncBaseTransport):
    """Stands in the place of httpx's transport for all requests of one client to one server. Use from one event loop."""

    def __init__(self, url: str, *, connections: int, keep_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        """At most `connections` at once; one that was idle for `keep_seconds` is closed. `tls` is needed for an https `url`."""
        address = httpx.URL(url)
        self._server = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=b"/")
        self._keep_seconds = keep_seconds
        self._tls = tls
        self._idle: deque[httpcore.AsyncHTTPConnection] = deque()  # the one that came back last stands last
        self._room = asyncio.Semaphore(connections)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request. Raises httpx's errors; `PoolTimeout` where no connection was free in time."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=self._server.scheme, host=self._server.host, port=self._server.port, target=request.url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _named(request):
            await self._wait(request.extensions.get("timeout", {}).get("pool"))
            connection: httpcore.AsyncHTTPConnection | None = None
            try:
                connection = await self._connection()
                answer = await connection.handle_async_request(asked)
            except BaseException:
                await self._give_back(connection)
                raise
        assert isinstance(answer.stream, AsyncIterable)
        body = _Body(answer, request, self, connection)
        return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close the connections that are idle; one that is used is closed once its answer has been read."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _wait(self, seconds: float | None) -> None:
        if not self._room.locked():
            await self._room.acquire()  # at once
            return
        try:
            await asyncio.wait_for(self._room.acquire(), seconds)
        except TimeoutError:
            raise httpcore.PoolTimeout("no connection was free in time") from None

    async def _connection(self) -> httpcore.AsyncHTTPConnection:
        while self._idle:
            kept = self._idle.pop()
            if not kept.has_expired():
                return kept
            await kept.aclose()
        origin = httpcore.Origin(self._server.scheme, self._server.host, self._server.origin.port)
        return httpcore.AsyncHTTPConnection(origin, ssl_context=self._tls, keepalive_expiry=self._keep_seconds)

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection | None) -> None:
        """Keep a connection whose answer was read to its end while the pool is open, close any other, and let the next request in."""
        self._room.release()
        if connection is None:
            return
        if connection.is_idle() and not self._closed:
            self._idle.append(connection)
        elif not connection.is_closed():
            await connection.aclose()
        # Those that nobody needs any more are at the other end; one of them goes with each answer.
        if len(self._idle) > 1 and self._idle[0].has_expired():
            await self._idle.popleft().aclose()


class _Body(httpx.AsyncByteStream):
    """The body of an answer; its connection goes back when it is closed."""

    def __init__(
        self, answer: httpcore.Response, request: httpx.Request, pool: ConnectionPool, connection: httpcore.AsyncHTTPConnection
    ) -> None:
        self._answer = answer
        self._request = request
        self._pool = pool
        self._connection: httpcore.AsyncHTTPConnection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._answer.stream, AsyncIterable)
        with _named(self._request):
            async for part in self._answer.stream:
                yield part

    async def aclose(self) -> None:
        """Read no more. May be called twice."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with _named(self._request):
                await self._answer.aclose()
        finally:
            await self._pool._give_back(connection)


@contextmanager
def _named(request: httpx.Request) -> Iterator[None]:
    """Httpcore's errors under the same names in httpx."""
    try:
        yield
    except _NAMED as error:
        raise getattr(httpx, type(error).__name__)(str(error), request=request) from error
