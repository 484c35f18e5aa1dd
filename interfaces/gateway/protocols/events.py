"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): bytes of a stream cut into whole events."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
LONGEST = 1 << 20
"""Bytes without an end from which on they are passed on as they are: no client's event is so long."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event, or a comment."""

    raw: bytes
    """Its bytes with the blank line that ends it."""
    name: str
    """What `event:` says, empty where there is none."""
    data: str
    """The `data:` lines, joined by line ends."""

    def json(self) -> dict[str, Any]:
        """The data as a JSON object; empty where it is none."""
        try:
            value = json.loads(self.data)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class EventReader:
    """Takes bytes as they come and gives back whole events; every byte comes out exactly once."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        self._rest += data
        found: list[Event] = []
        start = 0
        for end in _END.finditer(self._rest):
            found.append(_event(self._rest[start : end.end()]))
            start = end.end()
        self._rest = self._rest[start:]
        if len(self._rest) > LONGEST:
            found.append(Event(raw=self.rest(), name="", data=""))
        return found

    def rest(self) -> bytes:
        """What came after the last whole event; it is given away."""
        rest, self._rest = self._rest, b""
        return rest


def _event(raw: bytes) -> Event:
    name, data = "", []
    for line in raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
    return Event(raw=raw, name=name, data="\n".join(data))
