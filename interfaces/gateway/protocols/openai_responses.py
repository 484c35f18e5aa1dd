"""`OpenAIResponses`: OpenAI's responses protocol (https://platform.openai.com/docs/api-reference/responses), which Codex speaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel, Field, StrictBool, ValidationError

from ....core import Answer, Conversation, MalformedTask, Message, Reply, ToolCall, Usage, tool_call
from .fields import PIECE, Text, validation_message
from .parts import check_last, joined

ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
"""Events that end a stream."""
CALLED_WITH = ("arguments", "input", "action", "operation")
"""Where the items of calls say what is called with."""


class ResponsesBody(BaseModel):
    """A request for a response. Fields that are not named here are ignored."""

    model: Text = Field("lifelong", max_length=512)
    input: Text | list[dict[str, Any]]
    instructions: Text | None = None
    stream: StrictBool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_output_tokens: int | None = Field(None, ge=1, le=1_000_000)
    tools: list[dict[str, Any]] | None = None
    user: Text | None = None


class OpenAIResponses:
    """A `PassingCodec`. Reasoning and calls of tools that the server runs itself are passed on and not remembered."""

    name = "openai-responses"
    path = "/v1/responses"
    member = "input"

    def parse(self, body: object) -> Conversation:
        """See `Codec.parse`. Calls that follow each other, and what is said beside them, are one turn of the assistant."""
        try:
            read = ResponsesBody.model_validate(body)
        except ValidationError as error:
            raise MalformedTask(validation_message(error)) from None
        messages: list[Message] = []
        sources: list[int] = []
        if read.instructions is not None:
            messages.append({"role": "system", "content": read.instructions})
            sources.append(-1)
        items = [{"role": "user", "content": read.input}] if isinstance(read.input, str) else read.input
        for number, item in enumerate(items):
            found = _message(item, number)
            if found is None:
                continue
            if found["role"] == "assistant" and messages and messages[-1]["role"] == "assistant":
                messages[-1] = _merged(messages[-1], found)
                continue
            messages.append(found)
            sources.append(number)
        check_last(messages)
        return Conversation(
            messages=tuple(messages),
            sources=tuple(sources),
            model=read.model,
            user=read.user or "",
            stream=bool(read.stream),
            include_usage=bool(read.stream),
            temperature=read.temperature or 0.0,
            max_tokens=read.max_output_tokens,
            tools=tuple(_tools(read.tools or ())),
        )

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        """A whole response; what lies behind the answer is under `lifelong`."""
        return _response(reply, conversation, "incomplete" if reply.cut else "completed", [_item(reply, reply.text, "completed")])

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        """The events of a response with one message of one text."""
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": _response(reply, conversation, "in_progress", [])},
            {"type": "response.in_progress", "response": _response(reply, conversation, "in_progress", [])},
            {"type": "response.output_item.added", "output_index": 0, "item": {**_item(reply, "", "in_progress"), "content": []}},
        ]
        place = {"item_id": f"msg_{reply.id}", "output_index": 0, "content_index": 0}
        events.append({"type": "response.content_part.added", **place, "part": _part("")})
        for start in range(0, len(reply.text), PIECE):
            events.append({"type": "response.output_text.delta", **place, "delta": reply.text[start : start + PIECE], "logprobs": []})
        whole = self.reply(reply, conversation)
        events += [
            {"type": "response.output_text.done", **place, "text": reply.text, "logprobs": []},
            {"type": "response.content_part.done", **place, "part": _part(reply.text)},
            {"type": "response.output_item.done", "output_index": 0, "item": _item(reply, reply.text, "completed")},
            {"type": f"response.{whole['status']}", "response": whole},
        ]
        for number, event in enumerate(events):
            yield _event({**event, "sequence_number": number})

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """OpenAI's shape of an error."""
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def error_events(self, kind: str, message: str) -> bytes:
        """The error as an event, which ends the stream."""
        return _event({"type": "error", "code": kind, "message": message, "param": None, "sequence_number": 0}).encode()

    def read_reply(self, body: Mapping[str, Any]) -> Answer | None:
        """A whole response: its messages and the calls of functions."""
        try:
            if body.get("object") != "response":
                return None
            turns = [_message(item, number) for number, item in enumerate(body["output"])]
            message: Message = {"role": "assistant", "content": ""}
            for turn in turns:
                if turn is not None and turn["role"] == "assistant":
                    message = _merged(message, turn)
            status = str(body.get("status") or "")
            return Answer(
                id=str(body.get("id") or ""),
                message=message,
                usage=_read_usage(body.get("usage")),
                finish_reason=status,
                complete=status in ("completed", "incomplete"),
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return None

    def read_stream(self) -> ResponsesStream:
        """Waits for the event that holds the whole response."""
        return ResponsesStream(self)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a request; fields that it does not name are passed over."""
        return ResponsesBody.model_json_schema()


class ResponsesStream:
    """A `StreamReader`. The last event repeats the whole response; some servers leave its items out, which were sent one by one before."""

    def __init__(self, codec: OpenAIResponses) -> None:
        self._codec = codec
        self._items: list[Any] = []
        self._answer: Answer | None = None

    def take(self, name: str, data: str) -> bool:
        """See `StreamReader.take`."""
        try:
            event = json.loads(data)
            kind = event.get("type") or name
        except (ValueError, AttributeError, RecursionError):
            return False
        if kind == "response.output_item.done":
            self._items.append(event.get("item"))
        if kind not in ENDS:
            return False
        response = event.get("response")
        if isinstance(response, dict):
            about = {"object": "response", "status": kind.removeprefix("response."), **response}
            self._answer = self._codec.read_reply({**about, "output": response.get("output") or self._items})
        return True

    def answer(self) -> Answer | None:
        """See `StreamReader.answer`."""
        return self._answer


def _message(item: dict[str, Any], number: int) -> Message | None:
    kind = str(item.get("type") or "message")
    if kind.endswith("_call") and item.get("call_id"):
        return {"role": "assistant", "content": "", "tool_calls": [_call(item, kind)]}
    if kind.endswith(("_call_output", "tool_search_output")) and item.get("call_id"):
        return {"role": "tool", "content": _output(item), "tool_call_id": str(item["call_id"])}
    if kind != "message":
        return None
    role = ROLES.get(str(item.get("role")))
    content = item.get("content")
    parts_are_objects = isinstance(content, list) and all(isinstance(part, dict) for part in content)
    if role is None or not (isinstance(content, str) or parts_are_objects):
        raise MalformedTask(f"input.{number}: a message needs a role (user, assistant, system or developer) and content")
    said = joined(content)
    return cast(Message, {"role": role, "content": _without_refusals(said) if role == "assistant" else said})


def _call(item: dict[str, Any], kind: str) -> ToolCall:
    """A call that the client carries out: a function, a tool that takes text, a shell, a patch. What the server runs has no `call_id`."""
    written = next((item[name] for name in CALLED_WITH if item.get(name) is not None), "")
    name = str(item.get("name") or kind.removesuffix("_call"))
    return tool_call(name, written if isinstance(written, str) else json.dumps(written, ensure_ascii=False), str(item["call_id"]))


def _output(item: dict[str, Any]) -> str | list[dict[str, Any]]:
    output = item.get("output")
    if isinstance(output, list) and all(isinstance(part, dict) and "type" in part for part in output):
        return joined(output)
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False) if output else ""


def _without_refusals(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in content)


def _merged(before: Message, after: Message) -> Message:
    text = "\n".join(str(one["content"]) for one in (before, after) if one["content"])
    calls = [*before.get("tool_calls", ()), *after.get("tool_calls", ())]
    return {"role": "assistant", "content": text, "tool_calls": calls} if calls else {"role": "assistant", "content": text}


def _tools(tools: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Functions and tools that take text, those inside a `namespace` too; what the server runs itself is left out."""
    for one in tools:
        if isinstance(one, dict) and one.get("type") == "namespace":
            yield from _tools(one.get("tools") or ())
        elif isinstance(one, dict) and one.get("type") in ("function", "custom"):
            kept = {name: one[name] for name in ("name", "description", "parameters") if one.get(name) is not None}
            yield {"type": "function", "function": {"name": "", **kept}}


def _response(reply: Reply, conversation: Conversation, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    read, written = reply.usage.prompt_tokens, reply.usage.completion_tokens
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
    return {
        "id": reply.id,
        "object": "response",
        "created_at": reply.created,
        "status": status,
        "model": reply.model,
        "output": output,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": conversation.temperature,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage if output else None,
        "lifelong": dict(reply.details),
    }


def _item(reply: Reply, text: str, status: str) -> dict[str, Any]:
    return {"type": "message", "id": f"msg_{reply.id}", "status": status, "role": "assistant", "content": [_part(text)]}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _event(payload: dict[str, Any]) -> str:
    return f"event: {payload['type']}\ndata: {json.dumps(payload, ensure_ascii=False)}\n\n"


def _read_usage(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    return Usage(prompt_tokens=int(usage.get("input_tokens") or 0), completion_tokens=int(usage.get("output_tokens") or 0))
