"""`AnthropicMessages`: the messages protocol of Anthropic (https://docs.anthropic.com/en/api/messages), which Claude Code speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from pydantic import BaseModel, Field, StrictBool, ValidationError

from ....core import Answer, Conversation, MalformedTask, Message, Reply, ToolCall, Usage, tool_call
from .fields import Text, validation_message
from .options import chosen_tool, mapping, shared_options
from .parts import check_last, joined, token_count
from .writing import in_pieces, json_object, named_event

TOOL_MODES = {"auto": "auto", "none": "none", "any": "required"}
REFUSED = ("n", "mcp_servers", "container")
"""What only Anthropic's own servers do, and what this protocol does not have and others do."""

KINDS = {"service_unavailable": "overloaded_error", "bad_gateway": "api_error"}
"""Anthropic's names of error types; the others are the same."""


class AnthropicMessage(BaseModel):
    """One turn; results of tools stand in a user's. Newer clients put a system's between them."""

    role: Literal["user", "assistant", "system"]
    content: Text | list[dict[str, Any]]


class AnthropicTool(BaseModel):
    """A tool that the model may call. Those that the server runs itself have no schema."""

    name: Text
    description: Text = ""
    input_schema: dict[str, Any] | None = None


class MessagesBody(BaseModel):
    """A request for a message. Fields that are not named here are ignored."""

    model: Text = Field("lifelong", max_length=512)
    messages: list[AnthropicMessage] = Field(min_length=1)
    system: Text | list[dict[str, Any]] | None = None
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    temperature: float | None = Field(None, ge=0, le=1)
    stream: StrictBool | None = None
    tools: list[AnthropicTool] | None = None


class AnthropicMessages:
    """An `EngineCodec`. Thinking is passed on and not remembered; an engine of ours answers without."""

    name = "anthropic-messages"
    path = "/v1/messages"
    member = "messages"
    id_prefix = "msg_"

    def parse(self, body: object) -> Conversation:
        """See `Codec.parse`. Results of tools become messages of their own, in front of what else their turn says."""
        try:
            read = MessagesBody.model_validate(body)
        except ValidationError as error:
            raise MalformedTask(validation_message(error)) from None
        pairs: list[tuple[Message, int]] = []
        if read.system is not None:
            pairs.append(({"role": "system", "content": joined(read.system)}, -1))
        for number, one in enumerate(read.messages):
            pairs += [(message, number) for message in _turns(one)]
        messages = tuple(message for message, _ in pairs)
        check_last(messages)
        return Conversation(
            messages=messages,
            sources=tuple(number for _, number in pairs),
            model=read.model,
            stream=bool(read.stream),
            include_usage=bool(read.stream),
            temperature=read.temperature or 0.0,
            max_tokens=read.max_tokens,
            tools=tuple(_tool(one) for one in read.tools or () if one.input_schema is not None),
        )

    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """See `EngineCodec.options`."""
        found = shared_options(body, stop="stop_sequences", refused=REFUSED)
        choice = body.get("tool_choice")
        found |= chosen_tool(choice, modes=TOOL_MODES, named="tool", allowed="of type 'auto', 'any', 'none', or 'tool' with a name")
        if isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use"):
            found["parallel_tool_calls"] = False
        form = mapping(mapping(body, "output_config"), "format") or mapping(body, "output_format")
        if form:
            if form.get("type") != "json_schema":
                raise MalformedTask("output_config.format must be of type 'json_schema'")
            found["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": mapping(form, "schema")}}
        return found

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        """A whole message; what lies behind the answer is under `lifelong`."""
        blocks: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text or not reply.tool_calls else []
        blocks += [{**_block(call), "input": json_object(call["function"]["arguments"])} for call in reply.tool_calls]
        return {
            **_head(reply),
            "content": blocks,
            **_stop(reply),
            "usage": _written_usage(reply),
            **_details(reply),
        }

    def writer(self, reply: Reply, conversation: Conversation) -> MessageWriter:
        """One block of text, if there is any, and one for each call of a tool."""
        return MessageWriter(reply)

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        """The events of a whole message."""
        return in_pieces(self.writer(reply, conversation), reply)

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """Anthropic's shape of an error."""
        return {"type": "error", "error": {"type": KINDS.get(kind, kind), "message": message}}

    def error_events(self, kind: str, message: str) -> bytes:
        """The error as an event, which ends the stream."""
        return f"event: error\ndata: {json.dumps(self.error(kind, message), ensure_ascii=False)}\n\n".encode()

    def read_reply(self, body: Mapping[str, Any]) -> Answer | None:
        """A whole message."""
        try:
            if body.get("type") != "message":
                return None
            return Answer(
                id=str(body.get("id") or ""),
                message=_assistant(body["content"]),
                usage=_usage(body.get("usage")),
                finish_reason=str(body.get("stop_reason") or ""),
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return None

    def read_stream(self) -> AnthropicStream:
        """Puts the blocks of a message together."""
        return AnthropicStream()

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a request; fields that it does not name are passed over."""
        return MessagesBody.model_json_schema()


class MessageWriter:
    """A `ReplyWriter`."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._begun = False

    def begin(self) -> str:
        usage = {"input_tokens": self._reply.usage.prompt_tokens, "output_tokens": 0}
        return _event(
            "message_start", message={**_head(self._reply), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        )

    def text(self, piece: str) -> str:
        begun = "" if self._begun else _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        self._begun = True
        return begun + _event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})

    def end(self, reply: Reply) -> str:
        out = ""
        if not (self._begun or reply.tool_calls):
            out = _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            self._begun = True
        if self._begun:
            out += _event("content_block_stop", index=0)
        for index, call in enumerate(reply.tool_calls, start=int(self._begun)):
            arguments = json.dumps(json_object(call["function"]["arguments"]), ensure_ascii=False)
            out += _event("content_block_start", index=index, content_block={**_block(call), "input": {}})
            out += _event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": arguments})
            out += _event("content_block_stop", index=index)
        # The tokens read are not known before the first is written, so they stand here.
        return out + _event("message_delta", delta=_stop(reply), usage=_written_usage(reply), **_details(reply)) + _event("message_stop")


class AnthropicStream:
    """A `StreamReader`."""

    def __init__(self) -> None:
        self._id = ""
        self._blocks: dict[int, dict[str, Any]] = {}
        self._written: dict[int, list[str]] = {}
        self._usage: dict[str, Any] = {}
        self._stop_reason = ""
        self._seen = self._failed = False

    def take(self, name: str, data: str) -> bool:
        """See `StreamReader.take`; the end is `message_stop`, or an error."""
        try:
            event = json.loads(data) if data else {}
            kind = event.get("type")
            self._read(kind, event)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._failed = True
            return False
        return kind in ("message_stop", "error")

    def answer(self) -> Answer | None:
        """See `StreamReader.answer`."""
        if not self._seen:
            return None
        blocks = []
        for number in sorted(self._blocks):
            block, written = self._blocks[number], "".join(self._written[number])
            if block.get("type") == "text":
                block = {**block, "text": str(block.get("text") or "") + written}
            elif block.get("type") == "tool_use" and written:
                block = {**block, "input": written}
            blocks.append(block)
        return Answer(
            id=self._id,
            message=_assistant(blocks),
            usage=_usage(self._usage),
            finish_reason=self._stop_reason,
            complete=bool(self._stop_reason) and not self._failed,
        )

    def _read(self, kind: object, event: dict[str, Any]) -> None:
        if kind == "message_start":
            self._seen = True
            self._id = str(event["message"].get("id") or "")
            self._usage |= event["message"].get("usage") or {}
        elif kind == "content_block_start":
            self._blocks[event["index"]] = dict(event["content_block"])
            self._written[event["index"]] = []
        elif kind == "content_block_delta":
            delta = event["delta"]
            self._written[event["index"]].append(delta.get("text") or delta.get("partial_json") or "")
        elif kind == "message_delta":
            self._stop_reason = str(event["delta"].get("stop_reason") or "")
            self._usage |= {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
        elif kind == "error":
            self._failed = True


def _turns(one: AnthropicMessage) -> list[Message]:
    if one.role == "system":
        return [{"role": "system", "content": joined(one.content)}]
    return _user(one) if one.role == "user" else [_assistant(one.content)]


def _user(one: AnthropicMessage) -> list[Message]:
    if isinstance(one.content, str):
        return [{"role": "user", "content": one.content}]
    results = [block for block in one.content if block.get("type") == "tool_result"]
    others = [block for block in one.content if block.get("type") != "tool_result"]
    messages = [_result(block) for block in results]
    return [*messages, {"role": "user", "content": joined(others)}] if others or not messages else messages


def _result(block: dict[str, Any]) -> Message:
    content = block.get("content")
    error = {"is_error": True} if block.get("is_error") else {}
    said = joined(content if isinstance(content, list) else str(content or ""))
    return cast(Message, {"role": "tool", "tool_call_id": str(block.get("tool_use_id") or ""), "content": said, **error})


def _assistant(content: str | list[dict[str, Any]]) -> Message:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    text = "\n".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")
    calls = [tool_call(str(one.get("name")), one.get("input") or {}, str(one.get("id"))) for one in blocks if one.get("type") == "tool_use"]
    return {"role": "assistant", "content": text, "tool_calls": calls} if calls else {"role": "assistant", "content": text}


def _tool(one: AnthropicTool) -> dict[str, Any]:
    return {"type": "function", "function": {"name": one.name, "description": one.description, "parameters": one.input_schema}}


def _written_usage(reply: Reply) -> dict[str, int]:
    """What was read from a cache is no input here."""
    usage = reply.usage
    cached = {"cache_read_input_tokens": usage.cached_tokens} if usage.cached_tokens else {}
    return {"input_tokens": usage.prompt_tokens - usage.cached_tokens, **cached, "output_tokens": usage.completion_tokens}


def _usage(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    read = sum(token_count(usage, name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
    cached = token_count(usage, "cache_read_input_tokens")
    return Usage(prompt_tokens=read, completion_tokens=token_count(usage, "output_tokens"), cached_tokens=cached)


def _head(reply: Reply) -> dict[str, Any]:
    return {"id": reply.id, "type": "message", "role": "assistant", "model": reply.model}


def _block(call: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call["id"], "name": call["function"]["name"]}


def _stop(reply: Reply) -> dict[str, Any]:
    reason = "max_tokens" if reply.cut else "tool_use" if reply.tool_calls else "stop_sequence" if reply.stop else "end_turn"
    return {"stop_reason": reason, "stop_sequence": reply.stop or None}


def _details(reply: Reply) -> dict[str, Any]:
    return {"lifelong": dict(reply.details)} if reply.details else {}


def _event(kind: str, **fields: Any) -> str:
    return named_event(kind, {"type": kind, **fields})
