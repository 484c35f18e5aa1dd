"""`OpenAIChat`: the chat completions protocol (https://platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, Field, StrictBool, ValidationError, model_validator

from ....core import Answer, Conversation, MalformedTask, Message, Reply, Usage
from .fields import Text, validation_message
from .options import chosen_tool, flag, mapping, shared_options
from .parts import cached_tokens, check_last, joined, token_count
from .writing import in_pieces


class ChatFunction(BaseModel):
    """What an assistant calls, and with what."""

    name: Text
    arguments: Text = ""


class ChatCustom(BaseModel):
    """A tool that takes text instead of arguments."""

    name: Text
    input: Text = ""


class ChatToolCall(BaseModel):
    """One call of a tool."""

    id: Text = ""
    function: ChatFunction | None = None
    custom: ChatCustom | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.function is None and self.custom is None:
            raise ValueError("a tool call needs a function")
        return self

    @property
    def called(self) -> dict[str, Any]:
        """Name and arguments."""
        if self.custom is not None:
            return {"name": self.custom.name, "arguments": self.custom.input}
        return self.function.model_dump() if self.function else {}


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | list[dict[str, Any]] | None = None
    tool_calls: list[ChatToolCall] | None = None
    tool_call_id: Text | None = None


class StreamOptions(BaseModel):
    """What a stream holds beside the answer."""

    include_usage: StrictBool = False


class ChatBody(BaseModel):
    """A request for a completion. Fields that are not named here are ignored, since clients send many."""

    model: Text = Field("lifelong", max_length=512)
    messages: list[ChatMessage] = Field(min_length=1)
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(None, ge=1, le=1_000_000)
    n: int | None = Field(None, ge=1, le=128)
    tools: list[dict[str, Any]] | None = None
    user: Text | None = None

    @property
    def token_limit(self) -> int | None:
        """Most tokens of the answer, under its new name or its old one."""
        return self.max_completion_tokens or self.max_tokens


TOOL_MODES = {"auto": "auto", "none": "none", "required": "required"}


class OpenAIChat:
    """An `EngineCodec`."""

    name = "openai-chat"
    path = "/v1/chat/completions"
    member = "messages"
    id_prefix = "chatcmpl-"

    def parse(self, body: object) -> Conversation:
        """See `Codec.parse`. System and developer messages are both instructions; the last message is a user's or a tool's."""
        try:
            read = ChatBody.model_validate(body)
        except ValidationError as error:
            raise MalformedTask(validation_message(error)) from None
        messages = tuple(_message(one) for one in read.messages)
        check_last(messages)
        return Conversation(
            messages=messages,
            model=read.model,
            user=read.user or "",
            stream=bool(read.stream),
            include_usage=bool(read.stream_options and read.stream_options.include_usage),
            temperature=read.temperature or 0.0,
            max_tokens=read.token_limit,
            count=read.n or 1,
            tools=tuple(read.tools or ()),
        )

    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """See `EngineCodec.options`."""
        found = shared_options(body)
        choice = body.get("tool_choice")
        if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
            choice = {"type": "function", **choice["function"]}  # the name stands one level further down than elsewhere
        found |= chosen_tool(choice, modes=TOOL_MODES, named="function", allowed="'auto', 'none', 'required', or name a function")
        if not flag(body, "parallel_tool_calls", default=True):
            found["parallel_tool_calls"] = False
        if (form := mapping(body, "response_format")) and form.get("type") != "text":
            found["response_format"] = form
        return found

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        """A `chat.completion`; what lies behind the answer is under `lifelong`."""
        choices = [_choice(number, one) for number, one in enumerate((reply, *reply.others))]
        return {**_envelope(reply, "chat.completion"), "choices": choices, "usage": _usage(reply), **_details(reply)}

    def writer(self, reply: Reply, conversation: Conversation) -> ChatWriter:
        """The role, the answer in pieces, calls of tools, the end, the usage if asked for, `[DONE]`."""
        return ChatWriter(reply, include_usage=conversation.include_usage)

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        """A whole answer as server-sent events."""
        return in_pieces(self.writer(reply, conversation), reply)

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """OpenAI's shape of an error."""
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def error_events(self, kind: str, message: str) -> bytes:
        """The error as an event, as servers of this protocol send it, and the end."""
        return f"{_event(self.error(kind, message))}data: [DONE]\n\n".encode()

    def read_reply(self, body: Mapping[str, Any]) -> Answer | None:
        """The first choice of a `chat.completion`."""
        try:
            choice = next(one for one in body["choices"] if not one.get("index"))
            turn = choice["message"]
            calls = [_call(one) for one in turn.get("tool_calls") or ()]
            message = _turn(turn.get("content"), calls)
            return Answer(
                id=str(body.get("id") or ""),
                message=message,
                usage=_read_usage(body.get("usage")),
                finish_reason=str(choice.get("finish_reason") or ""),
            )
        except (KeyError, TypeError, AttributeError, StopIteration, ValueError):
            return None

    def read_stream(self) -> ChatStream:
        """Puts the first choice of a stream of `chat.completion.chunk` together."""
        return ChatStream()

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a chat request; fields that it does not name are passed over."""
        return ChatBody.model_json_schema()


class ChatWriter:
    """A `ReplyWriter`."""

    def __init__(self, reply: Reply, *, include_usage: bool) -> None:
        self._envelope = _envelope(reply, "chat.completion.chunk")
        self._include_usage = include_usage

    def begin(self) -> str:
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, piece: str) -> str:
        return self._chunk({"content": piece})

    def end(self, reply: Reply) -> str:
        out = ""
        if reply.tool_calls:
            out += self._chunk({"tool_calls": [{"index": number, **call} for number, call in enumerate(reply.tool_calls)]})
        out += self._chunk({}, finish_reason=_finish_reason(reply), logprobs=_logprobs(reply), details=_details(reply))
        if self._include_usage:
            out += _event({**self._envelope, "choices": [], "usage": _usage(reply)})
        return out + "data: [DONE]\n\n"

    def _chunk(
        self,
        delta: dict[str, Any],
        *,
        finish_reason: str | None = None,
        logprobs: dict[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> str:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        if logprobs:
            choice["logprobs"] = logprobs
        return _event({**self._envelope, "choices": [choice], **(details or {})})


class ChatStream:
    """A `StreamReader`."""

    def __init__(self) -> None:
        self._id = ""
        self._texts: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._usage = Usage()
        self._finish_reason = ""
        self._seen = self._failed = False

    def take(self, name: str, data: str) -> bool:
        """See `StreamReader.take`; the end is `[DONE]`."""
        if data.strip() == "[DONE]":
            return True
        try:
            chunk = json.loads(data) if data else {}
            self._read(chunk)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._failed = True  # whatever it is, it passes by, and what was read is not learned from
        return False

    def answer(self) -> Answer | None:
        """See `StreamReader.answer`."""
        if not self._seen:
            return None
        calls = [_call(self._calls[index]) for index in sorted(self._calls)]
        complete = bool(self._finish_reason) and not self._failed
        return Answer(
            id=self._id,
            message=_turn("".join(self._texts), calls),
            usage=self._usage,
            finish_reason=self._finish_reason,
            complete=complete,
        )

    def _read(self, chunk: dict[str, Any]) -> None:
        self._failed = self._failed or "error" in chunk
        self._id = self._id or str(chunk.get("id") or "")
        if chunk.get("usage"):
            self._usage = _read_usage(chunk["usage"])
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                continue
            self._seen = True
            delta = choice.get("delta") or {}
            self._texts.append(_text(delta.get("content") or ""))
            for position, one in enumerate(delta.get("tool_calls") or ()):
                # Some servers number no calls.
                index = position if one.get("index") is None else int(one["index"])
                call = self._calls.setdefault(index, {"id": "", "function": {"name": "", "arguments": ""}})
                called = one.get("function") or one.get("custom") or {}
                call["id"] = one.get("id") or call["id"]
                call["function"]["name"] += called.get("name") or ""
                call["function"]["arguments"] += called.get("arguments") or called.get("input") or ""
            self._finish_reason = choice.get("finish_reason") or self._finish_reason


def _text(content: str | list[dict[str, Any]]) -> str:
    """Text of a piece, which some servers send as a list of parts. Raises `TypeError` for anything else."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content if part.get("type") == "text")


def _message(one: ChatMessage) -> Message:
    role = "system" if one.role == "developer" else one.role
    message: dict[str, Any] = {"role": role, "content": joined(one.content)}
    if one.tool_calls:
        message["tool_calls"] = [{"id": call.id, "type": "function", "function": call.called} for call in one.tool_calls]
    if one.role == "tool":
        message["tool_call_id"] = one.tool_call_id or ""
    return cast(Message, message)


def _turn(content: Any, calls: list[dict[str, Any]]) -> Message:
    text = joined(content if isinstance(content, list) else str(content or ""))
    return cast(Message, {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})})


def _call(one: dict[str, Any]) -> dict[str, Any]:
    function = one.get("function") or one["custom"]
    named = {"name": str(function.get("name") or ""), "arguments": str(function.get("arguments") or function.get("input") or "")}
    return {"id": str(one.get("id") or ""), "type": "function", "function": named}


def _read_usage(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    return Usage(
        prompt_tokens=token_count(usage, "prompt_tokens"),
        completion_tokens=token_count(usage, "completion_tokens"),
        cached_tokens=cached_tokens(usage, "prompt_tokens_details"),
    )


def _event(payload: dict[str, Any]) -> str:
    return f"data: {json.dumps(payload, ensure_ascii=False)}\n\n"


def _envelope(reply: Reply, kind: str) -> dict[str, Any]:
    return {"id": reply.id, "object": kind, "created": reply.created, "model": reply.model}


def _choice(number: int, reply: Reply) -> dict[str, Any]:
    calls = {"tool_calls": list(reply.tool_calls)} if reply.tool_calls else {}
    message = {"role": "assistant", "content": reply.text or (None if calls else ""), **calls}
    return {"index": number, "message": message, "logprobs": _logprobs(reply), "finish_reason": _finish_reason(reply)}


def _usage(reply: Reply) -> dict[str, Any]:
    read = reply.usage.prompt_tokens
    written = sum(one.usage.completion_tokens for one in (reply, *reply.others))
    cached = {"prompt_tokens_details": {"cached_tokens": reply.usage.cached_tokens}} if reply.usage.cached_tokens else {}
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written, **cached}


def _logprobs(reply: Reply) -> dict[str, Any] | None:
    tokens = [{"token": token, "logprob": logprob, "bytes": list(token.encode()), "top_logprobs": []} for token, logprob in reply.logprobs]
    return {"content": tokens} if tokens else None


def _details(reply: Reply) -> dict[str, Any]:
    return {"lifelong": dict(reply.details)} if reply.details else {}


def _finish_reason(reply: Reply) -> str:
    return "length" if reply.cut else "tool_calls" if reply.tool_calls else "stop"
