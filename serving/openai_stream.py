"""A chat completion as server-sent events, read piece by piece (https://platform.openai.com/docs/api-reference/chat-streaming)."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator

import httpx
from pydantic import BaseModel, ValidationError

from ..core import check_cancelled
from .decoding.loops import LOOP, repeats
from .engine import ChatPiece, ChatRequest
from .openai_wire import CalledFunction, ChatChoice, OpenAIClient, ScoredToken, TokenCounts, TokenLogprobs, Turn, WrittenCall, reply_of

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
"""What a request's body has more when its answer is wanted as a stream with its token counts."""


class ChunkChoice(BaseModel):
    """What one event adds to one reply."""

    index: int = 0
    delta: Turn = Turn()
    logprobs: TokenLogprobs | None = None
    finish_reason: str | None = None
    stop_reason: object = None


class Chunk(BaseModel):
    """One event."""

    choices: list[ChunkChoice] | None = None
    usage: TokenCounts | None = None
    error: object = None


def read_pieces(client: OpenAIClient, response: httpx.Response, request: ChatRequest) -> Iterator[ChatPiece]:
    """The pieces of a reply whose stream is `response`; it is closed when they end or the iterator is closed.

    A reply whose length nobody limited ends, as one that was cut off, where its pieces only repeat themselves: a model in a loop would
    write until its context is full. Raises `EngineUnreachable` where the stream breaks off, says that it failed, or is none.
    """
    started = time.perf_counter()
    whole, counts = ChatChoice(message=Turn(content="")), TokenCounts()
    newest: deque[str] = deque(maxlen=LOOP)  # servers send a token a piece, or a few
    pieces = 0
    try:
        for line in _lines(response.iter_bytes()):
            check_cancelled()
            data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if not data:
                continue
            if data == b"[DONE]":
                break
            chunk = Chunk.model_validate_json(data)
            if chunk.error:
                raise client.broken_off(json.dumps(chunk.error))
            counts = chunk.usage or counts
            pieces += 1
            for choice in chunk.choices or ():
                if text := _add(whole, choice) if not choice.index else "":
                    yield ChatPiece(text=text)
            if request.max_tokens is None and _loops(newest, chunk):
                whole.finish_reason = "length"
                # The server would have counted at the end.
                counts = TokenCounts(prompt_tokens=counts.prompt_tokens, completion_tokens=max(counts.completion_tokens or 0, pieces))
                break
        if not whole.finish_reason:
            raise client.broken_off("the stream has no end")
        usage = counts.usage(time.perf_counter() - started)
        yield ChatPiece(reply=reply_of(whole, request, usage, whole.message.content or ""))
    except (httpx.TransportError, httpx.StreamError, httpx.DecodingError, ValidationError) as error:
        raise client.broken_off(error) from error
    finally:
        response.close()


def _loops(newest: deque[str], chunk: Chunk) -> bool:
    """Put what a chunk adds to the first reply behind the newest pieces; whether they only repeat themselves."""
    deltas = [choice.delta for choice in chunk.choices or () if not choice.index]
    written = "".join((delta.content or "") + "".join(call.function.arguments or "" for call in delta.tool_calls or ()) for delta in deltas)
    if not written:
        return False
    newest.append(written)
    return repeats(list(newest))


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines as the protocol ends them, and no others: a text may hold U+2028."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    yield rest


def _add(whole: ChatChoice, part: ChunkChoice) -> str:
    """Put a part of a reply to the rest; returns its text."""
    turn, text = whole.message, part.delta.content or ""
    turn.content = (turn.content or "") + text
    whole.finish_reason = part.finish_reason or whole.finish_reason
    whole.stop_reason = part.stop_reason or whole.stop_reason
    if part.logprobs and part.logprobs.content:
        scored: list[ScoredToken] = (whole.logprobs.content if whole.logprobs else None) or []
        whole.logprobs = TokenLogprobs(content=[*scored, *part.logprobs.content])
    for number, call in enumerate(part.delta.tool_calls or ()):
        calls = turn.tool_calls = turn.tool_calls or []
        position = number if call.index is None else call.index
        known = next((one for one in calls if one.index == position), None)
        if known is None:
            known = WrittenCall(index=position, function=CalledFunction(name="", arguments=""))
            calls.append(known)
        known.id = call.id or known.id
        known.function.name = (known.function.name or "") + (call.function.name or "")
        known.function.arguments = (known.function.arguments or "") + (call.function.arguments or "")
    return text
