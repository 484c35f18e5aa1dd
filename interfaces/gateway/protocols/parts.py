"""Contents of messages in OpenAI's shape: text, or a list of parts where there is more than text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....core import MalformedTask, Message, has_text, text_of


def joined(content: str | list[dict[str, Any]] | None) -> str | list[dict[str, Any]]:
    r"""One text where all parts are text, otherwise the parts as they are.

    >>> joined([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
    'a\nb'
    """
    if content is None or isinstance(content, str):
        return content or ""
    message: Message = {"role": "user", "content": content}
    return content if other_parts(message) else text_of(message)


def other_parts(message: Message) -> set[str]:
    """Types of a message's parts that are no text."""
    content = message["content"]
    return {str(part.get("type")) for part in content if not _is_text(part)} if isinstance(content, list) else set()


def check_last(messages: Sequence[Message]) -> None:
    """Raise `MalformedTask` where the last message, those of the system aside, is no user's with something in it, and no tool's.

    Agents put reminders of their own behind what the user said.
    """
    last = next((one for one in reversed(messages) if one["role"] != "system"), None)
    if last is None or (last["role"] != "tool" and (last["role"] != "user" or not (other_parts(last) or has_text(last)))):
        raise MalformedTask("the last of messages must be a user's (or a tool's) and must hold text that can be seen")


def cached_tokens(usage: Mapping[str, Any], details: str) -> int:
    """Tokens that OpenAI's protocols say were read from a cache."""
    found = usage.get(details)
    return int(found.get("cached_tokens") or 0) if isinstance(found, Mapping) else 0


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") in ("text", "input_text", "output_text") and isinstance(part.get("text"), str)
