"""`Relay`: one request on its way to the upstream and its answer on the way back, as an ASGI response.

Bytes of the answer go out as they come. Only the event that ends a stream (or the whole of an answer that is no stream) waits until
what was said is recorded: a client that has seen the end can rely on it (invariant Durability). Where the record cannot be written
in time the answer goes out all the same and says so (invariant Fail open).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...core import Answer, EngineUnreachable, LifelongError, PassingCodec, redact
from .errors import BadReply, codec_error
from .protocols.events import EventReader
from .protocols.reading import GuardedReader, read_whole, recorded
from .requests import client_left
from .upstream import Headers, Upstream, returned_headers

LARGEST_REPLY = 64 << 20
"""Bytes of an answer that is no stream; a longer one is refused, since it must be read whole before it is recorded."""
NOT_RECORDED = (b"x-lifelong-recorded", b"no")
COMMENT = b": waiting for the model\n\n"
UNRECORDED_COMMENT = b": not recorded yet\n\n"

Recording = Callable[[Answer], Awaitable[bool]]
"""Writes an answer down; whether it is on disk."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A request that goes on to the upstream."""

    method: str
    """`POST`, as a rule."""
    target: str
    """Path and query."""
    headers: Headers
    """As the client sent them."""
    body: bytes
    """As it goes out."""
    conversation: str = ""
    """What tells the tenant's session from all others, where it is known."""
    streamed: bool = False
    """Whether the client expects a stream."""
    shown: tuple[tuple[bytes, bytes], ...] = ()
    """More headers of the answer."""
    record: Recording | None = None
    """What is done with a whole answer before its end goes out; None: nothing."""


class Relay(Response):
    """Sends a request on and its answer back. The client may leave at any time: the upstream's answer is then given up."""

    def __init__(
        self,
        upstream: Upstream,
        codec: PassingCodec,
        preparing: Awaitable[Passage],
        *,
        keep_alive_seconds: float,
        ended: Callable[[], None],
    ) -> None:
        self.status_code, self.background = 200, None
        self._upstream = upstream
        self._codec = codec
        self._preparing = preparing
        self._keep_alive = keep_alive_seconds
        self._ended = ended
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        work = asyncio.ensure_future(self._work(scope, receive, send))
        watch = asyncio.ensure_future(client_left(receive))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            if not work.done():
                work.cancel()
            self._ended()
            await asyncio.gather(work, watch, return_exceptions=True)
        if work.cancelled():
            return
        if error := work.exception():
            raise error

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        streamed = False
        try:
            passage = await self._preparing
            streamed = passage.streamed
            await self._pass(passage, send)
        except LifelongError as error:
            if not self._begun:
                await codec_error(self._codec.error, error)(scope, receive, send)
            elif streamed:
                await send({"type": "http.response.body", "body": self._codec.error_events("api_error", redact(str(error)))})
            else:
                raise

    async def _pass(self, passage: Passage, send: Send) -> None:
        sending = asyncio.ensure_future(
            self._upstream.send(passage.method, passage.target, passage.headers, passage.body, passage.conversation)
        )
        try:
            while passage.streamed:
                done, _ = await asyncio.wait({sending}, timeout=self._keep_alive)
                if done:
                    break
                # The status is not known yet; from here on it is 200, and an error becomes an event.
                await self._begin(send, 200, [(b"content-type", b"text/event-stream"), *passage.shown])
                await send({"type": "http.response.body", "body": COMMENT, "more_body": True})
            response = await sending
        except asyncio.CancelledError:
            sending.cancel()
            raise
        try:
            if response.status_code >= 400:
                await self._pass_error(response, send)
            elif response.headers.get("content-type", "").startswith("text/event-stream"):
                await self._pass_stream(passage, response, send)
            else:
                await self._pass_whole(passage, response, send)
        finally:
            await response.aclose()

    async def _pass_error(self, response: httpx.Response, send: Send) -> None:
        body = self._upstream.hidden(await _read(response))
        if self._begun:
            raise EngineUnreachable(f"the upstream answered {response.status_code}: {body[:500].decode('utf-8', 'replace')}")
        await self._whole(send, response.status_code, returned_headers(response), body)

    async def _pass_whole(self, passage: Passage, response: httpx.Response, send: Send) -> None:
        body = await _read(response)
        headers = [*returned_headers(response), *passage.shown]
        answer: Answer | None = None
        if passage.record is not None:
            read = _json(body)
            if read is None:
                raise BadReply("the upstream's answer is no JSON object; see its log, or check the URL")
            answer = read_whole(self._codec, read)
        if self._begun:
            raise BadReply("the upstream answered late and not with the stream that was asked for")
        if passage.record is not None and answer is not None and not await recorded(passage.record, answer):
            headers.append(NOT_RECORDED)
        await self._whole(send, response.status_code, headers, body)

    async def _pass_stream(self, passage: Passage, response: httpx.Response, send: Send) -> None:
        await self._begin(send, response.status_code, [*returned_headers(response), *passage.shown])
        events, reader = EventReader(), GuardedReader(self._codec) if passage.record else None
        held = b""
        async for chunk in _with_silences(response.aiter_bytes(), self._keep_alive):
            out = b""
            for event in events.feed(chunk) if chunk is not None else ():
                if held or (reader is not None and event.data and reader.take(event.name, event.data)):
                    held += event.raw
                else:
                    out += event.raw
            if out or chunk is None:
                await send({"type": "http.response.body", "body": out or COMMENT, "more_body": True})
        await self._end(passage, reader, held, events.rest(), send)

    async def _end(self, passage: Passage, reader: GuardedReader | None, held: bytes, rest: bytes, send: Send) -> None:
        answer = reader.answer() if reader else None
        if reader is not None and not reader.failed and not held and (answer is None or not answer.complete):
            raise BadReply("the upstream's stream broke off before its end; ask again")
        if passage.record is not None and answer is not None and answer.complete and not await recorded(passage.record, answer):
            held = UNRECORDED_COMMENT + held
        await send({"type": "http.response.body", "body": held + rest})

    async def _begin(self, send: Send, status: int, headers: Headers) -> None:
        if not self._begun:
            self._begun = True
            await send({"type": "http.response.start", "status": status, "headers": headers})

    async def _whole(self, send: Send, status: int, headers: Headers, body: bytes) -> None:
        self._begun = True
        empty = status == HTTPStatus.NO_CONTENT
        lengths = [] if empty else [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": [*headers, *lengths]})
        await send({"type": "http.response.body", "body": body})


async def _with_silences(chunks: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes | None]:
    """The chunks, and None whenever nothing came for so long. Raises `EngineUnreachable` where the stream breaks off."""
    iterator = aiter(chunks)
    coming: asyncio.Future[bytes] | None = None
    try:
        while True:
            if coming is None:
                coming = asyncio.ensure_future(anext(iterator))
            done, _ = await asyncio.wait({coming}, timeout=seconds)
            if not done:
                yield None
                continue
            finished, coming = coming, None
            try:
                yield finished.result()
            except StopAsyncIteration:
                return
            except (httpx.TransportError, httpx.StreamError, httpx.DecodingError) as error:
                raise BadReply(f"the upstream's answer broke off ({type(error).__name__}); ask again") from error
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_REPLY:
                raise BadReply(f"the upstream's answer is larger than {LARGEST_REPLY >> 20} MiB; ask for less at once")
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise BadReply(f"the upstream's answer broke off ({type(error).__name__}); ask again") from error
    return bytes(body)


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
