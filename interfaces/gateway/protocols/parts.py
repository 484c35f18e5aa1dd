"""Contents of messages in OpenAI's shape: text, or a list of parts where there is more than text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ....core import Answer, MalformedTask, Message, has_text, text_of

MOST_TOKENS = 1 << 40
"""Tokens that one answer may have cost; a larger number is no count."""


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


def token_count(usage: Mapping[str, Any], name: str) -> int:
    """A count of tokens as a server gives it; 0 where it is none.

    >>> token_count({"a": 7, "b": -1, "c": float("inf"), "d": "many", "e": 2**70}, "a"), token_count({"c": float("inf")}, "c")
    (7, 0)
    """
    found = usage.get(name)
    return int(found) if isinstance(found, int | float) and 0 <= found <= MOST_TOKENS else 0


def cached_tokens(usage: Mapping[str, Any], details: str) -> int:
    """Tokens that OpenAI's protocols say were read from a cache."""
    found = usage.get(details)
    return token_count(found, "cached_tokens") if isinstance(found, Mapping) else 0


def storable(answer: Answer) -> Answer:
    r"""An answer of whole characters: halves that came in two pieces of a stream are put together, a half without its other is marked.

    >>> storable(Answer(id="a", message={"role": "assistant", "content": "\ud83d\ude00 \ud83d"})).message["content"]
    '😀 \ufffd'
    """
    return replace(answer, id=_whole(answer.id), finish_reason=_whole(answer.finish_reason), message=_whole(answer.message))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return value
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") in ("text", "input_text", "output_text") and isinstance(part.get("text"), str)
