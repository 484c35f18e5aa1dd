"""A JSON object together with where each of its members stands, so that one member can be exchanged and every other byte stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


@dataclass(frozen=True, kw_only=True)
class Span:
    """A value and the characters from `start` to `end` of the text that say it."""

    value: Any
    """The decoded value."""
    start: int
    """Where it begins."""
    end: int
    """Where it has ended."""


@dataclass(frozen=True, kw_only=True)
class ObjectText:
    """A JSON object as it was written."""

    text: str
    """All of it."""
    members: tuple[tuple[str, Span], ...]
    """Every member in its order; a name may stand there twice."""

    @property
    def values(self) -> dict[str, Any]:
        """The object; of two members of one name the last, as every JSON reader has it."""
        return {name: span.value for name, span in self.members}

    def last(self, name: str) -> Span | None:
        """Where the value of `name` stands; None where there is none."""
        return next((span for found, span in reversed(self.members) if found == name), None)


def read_object(text: str) -> ObjectText:
    r"""Read a JSON object. Raises `ValueError` for any other text, `RecursionError` for one nested too deep.

    >>> read_object('{"a": [1, 2], "b": null}').last("a")
    Span(value=[1, 2], start=6, end=12)
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("it must be a JSON object")
    members, end = members_at(text, at)
    if _skip(text, end) != len(text):
        raise ValueError(f"there is more text after the object, at character {end}")
    return ObjectText(text=text, members=members)


def members_at(text: str, at: int) -> tuple[tuple[tuple[str, Span], ...], int]:
    """The members of the object that begins at a character, and where it has ended. Raises as `read_object` does."""
    members: list[tuple[str, Span]] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        if members:
            at = _skip(text, _expect(text, at, ","))
        _expect(text, at, '"')
        name, at = _value(text, at)
        start = _skip(text, _expect(text, _skip(text, at), ":"))
        value, end = _value(text, start)
        members.append((name, Span(value=value, start=start, end=end)))
        at = _skip(text, end)
    return tuple(members), at + 1


def elements(text: str, start: int) -> Iterator[Span]:
    """The elements of the JSON array that begins at `start`. The text was read before, so it is known to be well formed."""
    at = _skip(text, start + 1)
    while text[at] != "]":
        if text[at] == ",":
            at = _skip(text, at + 1)
        value, end = _value(text, at)
        yield Span(value=value, start=at, end=end)
        at = _skip(text, end)


def exchange(text: str, changes: list[tuple[int, int, str]]) -> str:
    """The text with the characters from start to end of each change replaced; changes do not overlap.

    >>> exchange("abcdef", [(4, 5, "E"), (0, 1, "")])
    'bcdEf'
    """
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _value(text: str, at: int) -> tuple[Any, int]:
    value, end = _DECODER.raw_decode(text, at)
    return value, end


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, letter: str) -> int:
    if text[at : at + 1] != letter:
        raise ValueError(f"expected {letter!r} at character {at}")
    return at + 1
