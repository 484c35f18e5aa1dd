"""What the writers of all protocols share: an answer that is known as a whole, written as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ....core import Reply, ReplyWriter

PIECE = 24
"""Characters in one piece of an answer that was whole before it was sent."""


def in_pieces(writer: ReplyWriter, reply: Reply) -> Iterator[str]:
    """The stream of a whole answer, event by event."""
    written = [writer.begin()]
    written += [writer.text(reply.text[start : start + PIECE]) for start in range(0, len(reply.text), PIECE)]
    for events in (*written, writer.end(reply)):
        # Data is JSON, in which no blank line can stand.
        yield from (f"{event}\n\n" for event in events.split("\n\n")[:-1])


def named_event(kind: str, payload: dict[str, Any]) -> str:
    """A server-sent event with a name."""
    return f"event: {kind}\ndata: {json.dumps(payload, ensure_ascii=False)}\n\n"


def json_object(text: str) -> dict[str, Any]:
    """The arguments of a call as an object; of what is no JSON object the text, so that nothing of it is lost.

    >>> json_object('{"a": 1}'), json_object("a")
    ({'a': 1}, {'arguments': 'a'})
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"arguments": text}
    return value if isinstance(value, dict) else {"arguments": text}
