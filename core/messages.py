"""Chat messages in OpenAI's shape, as plain JSON values, and the same messages as text.

The shape is that of the chat completions protocol (https://platform.openai.com/docs/api-reference/chat): content is a text or a list of
parts, an assistant may call tools by id, a tool's answer names the call. Keys and parts that nobody knows are kept as they are.

The text form is for models whose chat template knows no tools: a call is written as Hermes models write it (Teknium et al. 2024, "Hermes 3
Technical Report", https://arxiv.org/abs/2408.11857), `<tool_call>` around one JSON object with `name` and `arguments`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, Required, TypedDict, get_args

from .visible import visible_text

Role = Literal["system", "developer", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Roles of a message."""

Part = dict[str, Any]
"""One part of a message's content: `type` (`text`, `image_url`, `input_audio`, `file` or any other) and what belongs to it."""


class FunctionCall(TypedDict):
    """What is called and with what."""

    name: str
    arguments: str
    """A JSON object as text, just as the model wrote it; it may be malformed."""


class ToolCall(TypedDict):
    """One call of a tool by the assistant."""

    id: str
    type: Literal["function"]
    function: FunctionCall


class FunctionSpecification(TypedDict, total=False):
    """A function that may be called."""

    name: Required[str]
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments."""
    strict: bool | None


class ToolSpecification(TypedDict):
    """A tool that a model may call."""

    type: Literal["function"]
    function: FunctionSpecification


class Message(TypedDict, total=False):
    """One chat message as every OpenAI-compatible server takes it. Keys beyond these are kept."""

    role: Required[Role]
    content: Required[str | list[Part] | None]
    """Text, parts, or None beside tool calls."""
    name: str
    tool_calls: list[ToolCall]
    """Of an assistant."""
    tool_call_id: str
    """Of a tool: the call that it answers."""


MESSAGE_KEYS = frozenset({"role", "content", "tool_calls", "tool_call_id"})
"""What a step keeps in fields of its own; every other key of a message is an extra."""
TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
"""Types of parts that hold text under `text`."""
CALL_BEGIN, CALL_END = "<tool_call>", "</tool_call>"
"""What stands around a call in text."""
_MARKS = {"image_url": "image", "input_image": "image", "input_audio": "audio", "file": "file", "input_file": "file"}


def text_of(message: Message) -> str:
    r"""The text of a message: its content, or its text parts, one under another; empty where it has none.

    >>> text_of({"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url"}, {"type": "text", "text": "this"}]})
    'See\nthis'
    """
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in content or () if part.get("type") in TEXT_PARTS)


def has_text(message: Message) -> bool:
    """Whether a message holds text that can be seen."""
    return bool(visible_text(text_of(message)))


def marked_text(message: Message) -> str:
    r"""The text of a message with a mark such as `[image]` in the place of each part that is none.

    >>> marked_text({"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {}}]})
    'Look:\n[image]'
    """
    content = message["content"]
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part.get("text") or "") if part.get("type") in TEXT_PARTS else _mark(part) for part in content)


def tool_call(name: str, arguments: str | dict[str, Any], id: str) -> ToolCall:
    """A call of a function; arguments that are no text yet become JSON."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": id, "type": "function", "function": {"name": name, "arguments": written}}


def tool_specification(name: str, description: str = "", parameters: dict[str, Any] | None = None) -> ToolSpecification:
    """A tool by its name, what it does, and the JSON Schema of its arguments (none by default)."""
    schema = parameters if parameters is not None else {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def call_text(call: ToolCall) -> str:
    r"""A tool call as a model without a tool template writes it.

    >>> call_text(tool_call("route", {"queue": "billing"}, "call_1"))
    '<tool_call>\n{"name": "route", "arguments": {"queue": "billing"}}\n</tool_call>'
    """
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        arguments = function["arguments"]
    return f"{CALL_BEGIN}\n{json.dumps({'name': function['name'], 'arguments': arguments}, ensure_ascii=False)}\n{CALL_END}"


def reply_text(text: str, calls: Iterable[ToolCall]) -> str:
    """An assistant's whole turn as text: what it says, then its calls."""
    return "\n".join([*([text] if text else []), *map(call_text, calls)])


def read_reply(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    r"""The inverse of `reply_text`: what is said and the calls, numbered `call_0`, `call_1`, ...; what is no call stays text.

    >>> read_reply('Look it up.\n<tool_call>\n{"name": "find", "arguments": {"id": 7}}\n</tool_call>')[1][0]["function"]
    {'name': 'find', 'arguments': '{"id": 7}'}
    """
    calls: list[ToolCall] = []
    # Between two marks of a beginning there is at most one call, so that each character is looked at once.
    before, *rest = text.split(CALL_BEGIN)
    said = [before]
    for piece in rest:
        inside, end, after = piece.partition(CALL_END)
        call = _read_call(inside, f"call_{len(calls)}") if end else None
        if call is None:
            said.append(CALL_BEGIN + piece)
        else:
            calls.append(call)
            said.append(after)
    return ("".join(said).strip() if calls else text), tuple(calls)


def _read_call(text: str, id: str) -> ToolCall | None:
    try:
        row = json.loads(text)
        return tool_call(row["name"], row.get("arguments", {}), id)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def tools_text(tools: Sequence[ToolSpecification]) -> str:
    """How the tools are listed for a model whose template knows none; empty without tools."""
    if not tools:
        return ""
    listed = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
    return (
        f"You may call these tools, one JSON line each:\n{listed}\n"
        'To call one, answer with\n<tool_call>\n{"name": NAME, "arguments": OBJECT}\n</tool_call>'
    )


def plain_messages(messages: Sequence[Message], tools: Sequence[ToolSpecification] = ()) -> list[Message]:
    """The conversation in text alone, with the roles system, user and assistant: calls and results as text, parts as marks.

    Tools are listed in the first system message. Messages that are plain text already stay as they are.
    """
    plain: list[Message] = []
    before = ""
    for message in messages:
        text, calls = marked_text(message), message.get("tool_calls") or ()
        match message["role"]:
            case "tool":
                text = f"<tool_response>\n{text}\n</tool_response>"
                if before == "tool":
                    plain[-1] = {"role": "user", "content": f"{plain[-1]['content']}\n{text}"}
                else:
                    plain.append({"role": "user", "content": text})
            case "developer":
                plain.append({"role": "system", "content": text})
            case role:
                plain.append({"role": role, "content": reply_text(text, calls)})
        before = message["role"]
    if tools:
        first = plain[0] if plain and plain[0]["role"] == "system" else None
        heading = "\n\n".join(text for text in (text_of(first) if first else "", tools_text(tools)) if text)
        plain = [{"role": "system", "content": heading}, *(plain[1:] if first else plain)]
    return plain


def strings_in(value: object) -> Iterator[str]:
    """Every text in a JSON value, in its order; contents of files (`data:` addresses and the like) are left out."""
    if isinstance(value, str):
        if not value.startswith("data:") and len(value) <= LONGEST_STRING:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != "data":
                yield from strings_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings_in(item)


LONGEST_STRING = 20_000
"""Characters beyond which a value inside a part or an extra is the content of a file and no text."""


def _mark(part: Part) -> str:
    kind = str(part.get("type") or "part")
    held = part.get("file")
    name = held.get("filename") if isinstance(held, dict) else None
    return f"[{_MARKS.get(kind, kind)}{f' {name}' if name else ''}]"
