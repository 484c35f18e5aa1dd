"""An engine of ours as if it were a server of the protocols that clients speak, so that one path carries every kind of engine.

`EngineTransport` stands in the place of the network under an `httpx` client: a stream goes out token by token, tools and options reach the
engine, an error comes as a status before the first byte, and a client that leaves ends the work.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Lock
from typing import Any, TypeVar

import httpx

from ...core import (
    Conversation,
    EngineCodec,
    EngineUnreachable,
    LifelongError,
    MalformedTask,
    Reply,
    ReplyWriter,
    cancelled_by,
    plain_messages,
    redact,
    text_of,
)
from ...serving import ChatPiece, ChatReply, ChatRequest, ConversationCache, ConversationCaches, Engine
from .conversation import shown_model
from .errors import codec_error, error_body
from .protocols.parts import other_parts
from .upstream import CONVERSATION

T = TypeVar("T")

_JSON = {"content-type": "application/json"}


def asks_engine(codec: EngineCodec, body: object) -> bool:
    """Whether a request has something that only the engine itself can do: a stream, tools or their results, options of sampling.

    Raises `MalformedTask` for what is no request, and for an option that engines of ours do not have.
    """
    read = codec.parse(body)
    options = codec.options(body) if isinstance(body, Mapping) else {}
    tools = read.tools or any(one["role"] == "tool" or one.get("tool_calls") for one in read.messages)
    return bool(tools or options or read.stream or read.count != 1)


def count_tokens(engine: Engine, conversation: Conversation) -> int:
    """Tokens of a conversation and its tools, without what the model's template puts around each message."""
    messages = plain_messages(conversation.messages, conversation.tools)  # type: ignore[arg-type]  # whatever they are, they are counted
    return sum(engine.count_tokens(text_of(one)) for one in messages)


class EngineTransport(httpx.AsyncBaseTransport):
    """Answers requests of `codecs` from an engine, which the caller closes. Use from one event loop.

    Of at most `running` answers each has a thread while a token is made; `model` in a body is an adapter's name, or that of the base.
    What was read of a conversation that the extension `CONVERSATION` of a request names is not read again.
    """

    def __init__(self, engine: Engine, codecs: Iterable[EngineCodec], *, running: int = 32) -> None:
        self._engine = engine
        self._codecs = {codec.path: codec for codec in codecs}
        self._caches = ConversationCaches()
        self._pool = ThreadPoolExecutor(max_workers=running, thread_name_prefix="engine")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; of a stream the first piece is made, so that what the engine refuses has a status."""
        codec = self._codecs.get(request.url.path) if request.method == "POST" else None
        try:
            if codec is None:
                served = " or ".join(self._codecs)
                raise MalformedTask(f"{request.method} {request.url.path[:80]} is not served here; post to {served}")
            cache = self._caches.of(request.extensions.get(CONVERSATION, ""))
            return await self._answer(codec, json.loads(await request.aread()), cache)
        except LifelongError as error:
            refused = codec_error(codec.error if codec else error_body, error)
            return httpx.Response(refused.status_code, headers=dict(refused.headers), content=bytes(refused.body))

    async def _answer(self, codec: EngineCodec, body: Mapping[str, Any], cache: ConversationCache | None) -> httpx.Response:
        conversation = codec.parse(body)
        asked = replace(request_of(conversation, codec.options(body), base=self._engine.model), cache=cache)
        head = Reply(id=codec.id_prefix + uuid.uuid4().hex, text="", model=shown_model(conversation.model), created=int(time.time()))
        if not conversation.stream:
            replies = await self._whole(asked, conversation.count)
            return httpx.Response(200, headers=_JSON, content=json.dumps(codec.reply(reply_of(head, replies), conversation)).encode())
        if conversation.count != 1:
            raise MalformedTask(f"n is {conversation.count}; a stream has one answer here, so send n: 1 or leave stream out")
        pieces = _Pieces(self._engine.stream(asked), self._call)
        events = _Events(await pieces.next(), pieces, head, codec, codec.writer(head, conversation))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=events)

    async def _whole(self, asked: ChatRequest, count: int) -> list[ChatReply]:
        """Whole replies; a client that leaves ends the work on them."""
        if count > 1:
            # The same seed draws the same answer; each of several needs its own.
            return await self._batch([replace(asked, seed=asked.seed + number) for number in range(count)])
        pieces = _Pieces(self._engine.stream(asked), self._call)
        try:
            while (piece := await pieces.next()) is not None:
                if piece.reply is not None:
                    return [piece.reply]
        finally:
            await asyncio.shield(pieces.close())
        raise EngineUnreachable("the model's answer has no end; ask again, or see its log")

    async def _batch(self, several: Sequence[ChatRequest]) -> list[ChatReply]:
        cancelled = Event()

        def work() -> list[ChatReply]:
            with cancelled_by(cancelled):
                return self._engine.chat(several)

        try:
            return await self._call(work)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def aclose(self) -> None:
        """Take no more requests."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


class _Pieces:
    """An engine's stream from an event loop: each piece is made in a thread, and nothing is made after `close`.

    A piece may take as long as the whole reply (a call of a tool has no text to show before its end), so that `close` ends it inside.
    """

    def __init__(self, stream: Iterator[ChatPiece], call: Callable[[Callable[[], Any]], Any]) -> None:
        self._stream = stream
        self._call = call
        self._lock = Lock()
        self._cancelled = Event()

    async def next(self) -> ChatPiece | None:
        """The next piece, None after the last."""
        piece: ChatPiece | None = await self._call(self._next)
        return piece

    async def close(self) -> None:
        """End the work; a token that is being made is made first."""
        self._cancelled.set()
        await self._call(self._close)

    def _next(self) -> ChatPiece | None:
        with self._lock, cancelled_by(self._cancelled):
            return next(self._stream, None)

    def _close(self) -> None:
        with self._lock:
            close = getattr(self._stream, "close", None)
            if close is not None:
                close()


class _Events(httpx.AsyncByteStream):
    """The pieces of a reply as server-sent events of a protocol."""

    def __init__(self, first: ChatPiece | None, pieces: _Pieces, head: Reply, codec: EngineCodec, writer: ReplyWriter) -> None:
        self._first = first
        self._pieces = pieces
        self._head = head
        self._codec = codec
        self._writer = writer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._writer.begin().encode()
        piece = self._first
        try:
            while piece is not None:
                if piece.text:
                    yield self._writer.text(piece.text).encode()
                if piece.reply is not None:
                    yield self._writer.end(reply_of(self._head, [piece.reply])).encode()
                    return
                piece = await self._pieces.next()
        except LifelongError as error:
            yield self._codec.error_events("api_error", redact(str(error)))

    async def aclose(self) -> None:
        """Called when the client has read all of it, and when it leaves."""
        await self._pieces.close()


def request_of(conversation: Conversation, options: Mapping[str, Any], *, base: str) -> ChatRequest:
    """What a conversation asks of an engine. `base` is the base model's name, `options` are those of `EngineCodec.options`.

    Raises `MalformedTask` for parts that are no text.
    """
    if other := {kind for message in conversation.messages for kind in other_parts(message)}:
        raise MalformedTask(f"messages hold parts of type {', '.join(sorted(other))}; this engine reads parts of type 'text' alone")
    return ChatRequest(
        messages=conversation.messages,
        adapter="" if conversation.model in (base, shown_model(base)) else conversation.model,
        max_tokens=conversation.max_tokens,
        temperature=conversation.temperature,
        tools=tuple({name: tool[name] for name in tool if name != "custom"} for tool in conversation.tools),  # type: ignore[misc]  # the engine checks them
        **options,
    )


def reply_of(head: Reply, replies: Sequence[ChatReply]) -> Reply:
    """An engine's replies to one request as the answer that goes out under the name of `head`."""
    first, *others = (
        replace(
            head,
            text=one.text,
            usage=one.usage,
            cut=not one.finished,
            tool_calls=one.tool_calls,
            stop=one.stop,
            logprobs=tuple((token.token, token.logprob) for token in one.tokens),
        )
        for one in replies
    )
    return replace(first, others=tuple(others))
