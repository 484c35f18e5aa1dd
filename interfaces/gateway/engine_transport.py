"""An engine of ours as if it were a server of the chat completions protocol, so that one path carries every kind of engine.

`EngineTransport` stands in the place of the network under an `httpx` client: a stream goes out token by token, tools and options reach the
engine, an error comes as a status before the first byte, and a client that leaves ends the work.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

import httpx

from ...core import LifelongError, MalformedTask
from ...serving import ChatPiece, ChatReply, ChatRequest, Engine
from .conversation import shown_model
from .errors import codec_error, error_body
from .protocols.openai_chat import OpenAIChat
from .protocols.parts import other_parts

T = TypeVar("T")

REFUSED = ("logit_bias", "top_logprobs", "functions", "function_call", "audio", "prediction", "web_search_options")
"""Options of the protocol that engines here do not have; a request that sets one is refused by its name."""

DIRECT = ("stream", "tools", "stop", "seed", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "response_format", *REFUSED)
"""Options for which an engine is asked directly."""

_JSON = {"content-type": "application/json"}


def asks_engine(body: object) -> bool:
    """Whether a request has something that only the engine itself can do: a stream, tools or their results, options of sampling."""
    if not isinstance(body, dict):
        return False
    messages = body.get("messages")
    turns = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    tools = any(one.get("role") == "tool" or one.get("tool_calls") for one in turns)
    return tools or any(body.get(name) not in (None, False, []) for name in DIRECT) or body.get("n") not in (None, 1)


class EngineTransport(httpx.AsyncBaseTransport):
    """Answers `POST .../chat/completions` from an engine, which the caller closes. Use from one event loop.

    Of at most `running` answers each has a thread while a token is made; `model` in a body is an adapter's name, or that of the base.
    """

    def __init__(self, engine: Engine, *, running: int = 32) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(max_workers=running, thread_name_prefix="engine")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; of a stream the first piece is made, so that what the engine refuses has a status."""
        try:
            if request.method != "POST" or not request.url.path.endswith("/chat/completions"):
                raise MalformedTask(f"{request.method} {request.url.path[:80]} is not served here; post to /v1/chat/completions")
            body = json.loads(await request.aread())
            asked, count = request_of(body, base=self._engine.model)
            if not body.get("stream"):
                # The same seed draws the same answer; each of several needs its own.
                several = [replace(asked, seed=asked.seed + number) for number in range(count)]
                replies = await self._call(lambda: self._engine.chat(several))
                return httpx.Response(200, headers=_JSON, content=json.dumps(completion(replies, body)).encode())
            if count != 1:
                raise MalformedTask(f"n is {count}; a stream has one answer here, so send n: 1 or leave stream out")
            pieces = _Pieces(self._engine.stream(asked), self._call)
            first = await pieces.next()
        except LifelongError as error:
            refused = codec_error(error_body, error)
            return httpx.Response(refused.status_code, headers=dict(refused.headers), content=bytes(refused.body))
        usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Events(first, pieces, body, usage=usage))

    async def aclose(self) -> None:
        """Take no more requests."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


class _Pieces:
    """An engine's stream from an event loop: each piece is made in a thread, and nothing is made after `close`."""

    def __init__(self, stream: Iterator[ChatPiece], call: Callable[[Callable[[], Any]], Any]) -> None:
        self._stream = stream
        self._call = call
        self._lock = Lock()

    async def next(self) -> ChatPiece | None:
        """The next piece, None after the last."""
        piece: ChatPiece | None = await self._call(self._next)
        return piece

    async def close(self) -> None:
        """End the work; a token that is being made is made first."""
        await self._call(self._close)

    def _next(self) -> ChatPiece | None:
        with self._lock:
            return next(self._stream, None)

    def _close(self) -> None:
        with self._lock:
            close = getattr(self._stream, "close", None)
            if close is not None:
                close()


class _Events(httpx.AsyncByteStream):
    """The pieces of a reply as server-sent events."""

    def __init__(self, first: ChatPiece | None, pieces: _Pieces, body: Mapping[str, Any], *, usage: bool) -> None:
        self._first = first
        self._pieces = pieces
        self._envelope = _envelope(body, "chat.completion.chunk")
        self._usage = usage

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._event({"role": "assistant", "content": ""})
        piece = self._first
        try:
            while piece is not None:
                if piece.text:
                    yield self._event({"content": piece.text})
                if piece.reply is not None:
                    yield self._end(piece.reply)
                    return
                piece = await self._pieces.next()
        except LifelongError as error:
            failed = json.loads(bytes(codec_error(error_body, error).body))
            yield f"data: {json.dumps(failed)}\n\ndata: [DONE]\n\n".encode()

    async def aclose(self) -> None:
        """Called when the client has read all of it, and when it leaves."""
        await self._pieces.close()

    def _event(self, delta: dict[str, Any], **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
        return f"data: {json.dumps({**self._envelope, 'choices': [choice]}, ensure_ascii=False)}\n\n".encode()

    def _end(self, reply: ChatReply) -> bytes:
        out = b""
        if reply.tool_calls:
            out += self._event({"tool_calls": [{"index": number, **call} for number, call in enumerate(reply.tool_calls)]})
        out += self._event({}, finish_reason=reply.finish_reason, logprobs=_logprobs(reply))
        if self._usage:
            out += f"data: {json.dumps({**self._envelope, 'choices': [], 'usage': _usage([reply])})}\n\n".encode()
        return out + b"data: [DONE]\n\n"


def request_of(body: Mapping[str, Any], *, base: str) -> tuple[ChatRequest, int]:
    """What a body of the protocol asks of an engine, and how many answers it wants. `base` is the base model's name.

    Raises `MalformedTask`, which names the option that is out of its range or that engines do not have.
    """
    conversation = OpenAIChat().parse(body)
    if refused := [name for name in REFUSED if body.get(name)]:
        raise MalformedTask(f"{refused[0]} is not supported by this engine; leave it out")
    if other := {kind for message in conversation.messages for kind in other_parts(message)}:
        raise MalformedTask(f"messages hold parts of type {', '.join(sorted(other))}; this engine reads parts of type 'text' alone")
    stop, choice = body.get("stop"), body.get("tool_choice")
    if isinstance(choice, Mapping):
        choice = (choice.get("function") or {}).get("name") if isinstance(choice.get("function"), Mapping) else None
        if not isinstance(choice, str):
            raise MalformedTask("tool_choice must be 'auto', 'none', 'required', or name a function")
    return ChatRequest(
        messages=conversation.messages,
        adapter="" if conversation.model in (base, shown_model(base)) else conversation.model,
        max_tokens=conversation.max_tokens,
        temperature=conversation.temperature,
        seed=_typed(body, "seed", int, 0),
        tools=tuple(conversation.tools),  # type: ignore[arg-type]  # the engine checks their shape
        tool_choice=_typed({"tool_choice": choice}, "tool_choice", str, "auto"),
        parallel_tool_calls=_typed(body, "parallel_tool_calls", bool, True),
        stop=_stop(stop),
        top_p=_typed(body, "top_p", float, 1.0),
        presence_penalty=_typed(body, "presence_penalty", float, 0.0),
        frequency_penalty=_typed(body, "frequency_penalty", float, 0.0),
        logprobs=_typed(body, "logprobs", bool, False),
        response_format=_typed(body, "response_format", dict, None),
    ), conversation.count


def completion(replies: list[ChatReply], body: Mapping[str, Any]) -> dict[str, Any]:
    """A `chat.completion` of these replies."""
    choices = []
    for number, reply in enumerate(replies):
        calls = {"tool_calls": list(reply.tool_calls)} if reply.tool_calls else {}
        message = {"role": "assistant", "content": reply.text or (None if calls else ""), **calls}
        choices.append({"index": number, "message": message, "logprobs": _logprobs(reply), "finish_reason": reply.finish_reason})
    return {**_envelope(body, "chat.completion"), "choices": choices, "usage": _usage(replies)}


def _typed(body: Mapping[str, Any], name: str, kind: type[T], default: Any) -> Any:
    """An option of the body; null is the default. Raises `MalformedTask` where it is of another type."""
    value = body.get(name)
    if value is None:
        return default
    fits = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))
    if not fits or (kind is float and not math.isfinite(value)):
        raise MalformedTask(f"{name} is {str(value)[:80]!r}, which is of the wrong type")
    return value


def _stop(stop: object) -> tuple[str, ...]:
    texts = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise MalformedTask("stop must be a text or a list of texts")
    return tuple(texts)


def _envelope(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": str(body.get("model") or "")}


def _usage(replies: list[ChatReply]) -> dict[str, int]:
    read, written = replies[0].usage.prompt_tokens, sum(reply.usage.completion_tokens for reply in replies)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _logprobs(reply: ChatReply) -> dict[str, Any] | None:
    tokens = [{"token": one.token, "logprob": one.logprob, "bytes": list(one.token.encode()), "top_logprobs": []} for one in reply.tokens]
    return {"content": tokens} if tokens else None
