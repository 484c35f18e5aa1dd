"""Three protocols of models, from the server's side: what a request says, and an answer in whole or as events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scripted_upstream import MODEL


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of a tool."""

    name: str
    """The tool's name."""
    arguments: dict[str, Any]
    """What it is called with."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """As much of a request as a script needs."""

    tools: Mapping[str, Mapping[str, Any]]
    """Functions that may be called: the schema of their arguments by name."""
    newest: str
    """The newest text of the user."""
    results: tuple[str, ...]
    """Results of tools since then."""


class Dialect(Protocol):
    """One protocol."""

    def read(self, body: Mapping[str, Any]) -> Request:
        """What a request says."""

    def write(self, body: Mapping[str, Any], answer: Call | str, id: str) -> Any:
        """The answer as `ScriptedUpstream` takes it; `id` is unlike all others."""


def of(path: str) -> Dialect:
    """The protocol that is spoken at a path."""
    return Messages() if path.startswith("/v1/messages") else Responses() if path.startswith("/v1/responses") else Chat()


def _request(tools: Mapping[str, Mapping[str, Any]], turns: list[tuple[str, str]]) -> Request:
    """From turns (`user` or `result`, text) in their order."""
    at = max((number for number, (kind, _) in enumerate(turns) if kind == "user"), default=-1)
    results = tuple(text for kind, text in turns[at + 1 :] if kind == "result")
    return Request(tools=tools, newest=turns[at][1] if at >= 0 else "", results=results)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or part.get("content") or "") for part in content or () if isinstance(part, dict))


def _event(payload: Mapping[str, Any], name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(payload)}\n\n".encode()


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


class Chat:
    """OpenAI's chat completions."""

    def read(self, body: Mapping[str, Any]) -> Request:
        """See `Dialect.read`."""
        functions = [one["function"] for one in body.get("tools") or () if one.get("type") == "function"]
        kinds = {"user": "user", "tool": "result"}
        turns = [(kinds[one["role"]], _text(one.get("content"))) for one in body["messages"] if one["role"] in kinds]
        return _request({one["name"]: one.get("parameters") or {} for one in functions}, turns)

    def write(self, body: Mapping[str, Any], answer: Call | str, id: str) -> Any:
        """See `Dialect.write`."""
        message: dict[str, Any] = {"role": "assistant", "content": answer if isinstance(answer, str) else None}
        if isinstance(answer, Call):
            function = {"name": answer.name, "arguments": json.dumps(answer.arguments)}
            message["tool_calls"] = [{"id": f"call_{id}", "type": "function", "function": function}]
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
        frame = {"id": f"chatcmpl-{id}", "created": 1_700_000_000, "model": MODEL}
        end = "stop" if isinstance(answer, str) else "tool_calls"
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": end}
            return {**frame, "object": "chat.completion", "choices": [choice], "usage": usage}
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if isinstance(answer, str) else None}]
        for call in message.get("tool_calls", ()):
            deltas.append({"tool_calls": [{"index": 0, **call, "function": {"name": call["function"]["name"], "arguments": ""}}]})
            pieces = _halves(call["function"]["arguments"])
            deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
        if isinstance(answer, str):
            deltas += [{"content": piece} for piece in _halves(answer)]
        chunk = {**frame, "object": "chat.completion.chunk"}
        events = [_event({**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) for delta in deltas]
        events.append(_event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": end}]}))
        if (body.get("stream_options") or {}).get("include_usage"):
            events.append(_event({**chunk, "choices": [], "usage": usage}))
        return [*events, b"data: [DONE]\n\n"]


class Responses:
    """OpenAI's Responses; a reasoning item stands before each answer, as reasoning models have it."""

    def read(self, body: Mapping[str, Any]) -> Request:
        """See `Dialect.read`."""
        given = body["input"]
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
        turns = []
        for item in items:
            if str(item.get("type", "")).endswith("_call_output"):
                turns.append(("result", _text(item.get("output"))))
            elif item.get("role") == "user":
                turns.append(("user", _text(item.get("content"))))
        return _request({one["name"]: one.get("parameters") or {} for one in _functions(body)}, turns)

    def write(self, body: Mapping[str, Any], answer: Call | str, id: str) -> Any:
        """See `Dialect.write`."""
        thought = {"type": "reasoning", "id": f"rs_{id}", "summary": [], "encrypted_content": f"opaque-{id}"}
        item = _item(answer, id, body)
        usage = {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 25,
        }
        about = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}, "error": None, "incomplete_details": None}
        whole = {"id": f"resp_{id}", "object": "response", "created_at": 1_700_000_000, "model": MODEL, **about}
        ended = {**whole, "status": "completed", "output": [thought, item], "usage": usage}
        if not body.get("stream"):
            return ended
        begun = {**whole, "status": "in_progress", "output": [], "usage": None}
        events: list[dict[str, Any]] = [{"type": f"response.{kind}", "response": begun} for kind in ("created", "in_progress")]
        for place, one in enumerate((thought, item)):
            empty = {**one, **({"content": []} if "content" in one else {}), **({"arguments": ""} if "arguments" in one else {})}
            events.append({"type": "response.output_item.added", "output_index": place, "item": {**empty, "status": "in_progress"}})
            events += _deltas(one, place)
            events.append({"type": "response.output_item.done", "output_index": place, "item": one})
        events.append({"type": "response.completed", "response": ended})
        return [_event({**event, "sequence_number": place}, event["type"]) for place, event in enumerate(events)]


def _functions(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All functions, those of a namespace with its name."""
    tools = body.get("tools") or ()
    inner = [{**one, "namespace": space["name"]} for space in tools if space.get("type") == "namespace" for one in space["tools"]]
    return [one for one in [*tools, *inner] if one.get("type") == "function"]


def _item(answer: Call | str, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(answer, Call):
        called = {"call_id": f"call_{id}", "name": answer.name, "arguments": json.dumps(answer.arguments)}
        namespace = next((one.get("namespace") for one in _functions(body) if one["name"] == answer.name), None)
        called |= {"namespace": namespace} if namespace else {}
        return {"type": "function_call", "id": f"fc_{id}", "status": "completed", **called}
    part = {"type": "output_text", "text": answer, "annotations": [], "logprobs": []}
    return {"type": "message", "id": f"msg_{id}", "status": "completed", "role": "assistant", "content": [part]}


def _deltas(item: Mapping[str, Any], place: int) -> list[dict[str, Any]]:
    at: dict[str, Any] = {"item_id": item["id"], "output_index": place}
    if item["type"] == "function_call":
        kind, text = "response.function_call_arguments", item["arguments"]
        pieces = [{"type": f"{kind}.delta", **at, "delta": piece} for piece in _halves(text)]
        return [*pieces, {"type": f"{kind}.done", **at, "arguments": text, "name": item["name"]}]
    if item["type"] != "message":
        return []
    at["content_index"] = 0
    part = item["content"][0]
    pieces = [{"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in _halves(part["text"])]
    return [
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        *pieces,
        {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
    ]


class Messages:
    """Anthropic's messages."""

    def read(self, body: Mapping[str, Any]) -> Request:
        """See `Dialect.read`."""
        turns: list[tuple[str, str]] = []
        for one in body["messages"]:
            blocks = [{"type": "text", "text": one["content"]}] if isinstance(one["content"], str) else one["content"]
            if one["role"] != "user":
                continue
            turns += [("result", _text(block.get("content"))) for block in blocks if block["type"] == "tool_result"]
            if texts := [block for block in blocks if block["type"] == "text"]:
                turns.append(("user", _text(texts)))
        return _request({one["name"]: one.get("input_schema") or {} for one in body.get("tools") or ()}, turns)

    def write(self, body: Mapping[str, Any], answer: Call | str, id: str) -> Any:
        """See `Dialect.write`."""
        block: dict[str, Any] = {"type": "text", "text": answer}
        if isinstance(answer, Call):
            block = {"type": "tool_use", "id": f"toolu_{id}", "name": answer.name, "input": answer.arguments}
        end = {"stop_reason": "end_turn" if isinstance(answer, str) else "tool_use", "stop_sequence": None}
        head = {"id": f"msg_{id}", "type": "message", "role": "assistant", "model": MODEL}
        if not body.get("stream"):
            return {**head, "content": [block], **end, "usage": {"input_tokens": 20, "output_tokens": 5}}
        start = {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 20, "output_tokens": 1}}
        if isinstance(answer, Call):
            empty, pieces = {**block, "input": {}}, _halves(json.dumps(answer.arguments))
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        else:
            empty, deltas = {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in _halves(answer)]
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            {"type": "ping"},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        ]
        return [_event(event, event["type"]) for event in events]
