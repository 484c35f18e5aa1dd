"""Where recalled text goes in a request's bytes: beside a message of the user or behind a tool's result, and nothing before it changes.

It is data within a user's turn, never a system instruction (invariant Trust). The same message gets the same block in every request
of a session, so that the upstream's cached prefix holds. Marks of `cache_control` and thinking blocks stay where they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .json_spans import ObjectText, elements, members_at

Exchange = tuple[int, int, str]


def insertions(body: ObjectText, blocks: Mapping[int, str], member: str = "messages") -> list[Exchange]:
    """The changes that put each block to the message of its number, counted over all messages of the list.

    A text of a user is continued; a list of parts gets one more text part at its end; a tool's result is followed by a message of the
    user's. Messages of another shape stay as they are.
    """
    span = body.last(member)
    if not blocks or span is None or not isinstance(span.value, list | str):
        return []
    if isinstance(span.value, str):
        return [(span.start, span.end, json.dumps(f"{span.value}\n{blocks[0]}", ensure_ascii=False))] if 0 in blocks else []
    changes: list[Exchange] = []
    for number, element in enumerate(elements(body.text, span.start)):
        block = blocks.get(number)
        if block and isinstance(element.value, dict):
            behind = _behind_result(element.value, block)
            changes += [(element.end, element.end, f", {behind}")] if behind else _beside(body.text, element.start, element.value, block)
    return changes


def _behind_result(message: dict[str, Any], block: str) -> str:
    """A message of the user's that follows a tool's result; empty where the message is none. Anthropic's stand in a user's turn anyway."""
    if message.get("role") == "tool":
        return json.dumps({"role": "user", "content": block}, ensure_ascii=False)
    if message.get("type") in ("function_call_output", "custom_tool_call_output"):
        part = {"type": "input_text", "text": block}
        return json.dumps({"type": "message", "role": "user", "content": [part]}, ensure_ascii=False)
    return ""


def _beside(text: str, start: int, message: dict[str, Any], block: str) -> list[Exchange]:
    content = message.get("content")
    if message.get("role") != "user" or not isinstance(content, str | list):
        return []
    written = next(span for name, span in reversed(members_at(text, start)[0]) if name == "content")
    if isinstance(content, str):
        return [(written.start, written.end, json.dumps(f"{content}\n{block}", ensure_ascii=False))]
    parts = list(elements(text, written.start))
    kind = "input_text" if parts and str(parts[0].value.get("type", "")).startswith("input_") else "text"
    part = json.dumps({"type": kind, "text": block}, ensure_ascii=False)
    end = parts[-1].end if parts else written.start + 1
    return [(end, end, f", {part}" if parts else part)]
