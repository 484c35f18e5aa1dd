"""Templates: a request and its answer with typed holes in the place of the values that both have.

From solved tasks, as text-to-SQL systems reuse the queries of a history (templates with slots in the place of the values), and as data
recombination makes new pairs of old ones (Jia and Liang 2016, "Data Recombination for Neural Semantic Parsing",
https://arxiv.org/abs/1606.03622, section 4: entity abstraction). Pure functions; what counts as a value, and what may stand in its place,
is said by whoever knows the answers' language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import read_reply, reply_text

_VALUE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\b\d[\d.,]*\b")


@dataclass(frozen=True, kw_only=True)
class HoleValue:
    """Something that a request and its answer have in common."""

    type: str
    """Of the hole that it fills, such as `number` or `column INTEGER`; two values can take each other's place only where it is the same."""
    said: str
    """As it stands in the request."""
    written: str
    """As it stands in the answer."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A request and its answer with holes; two pairs that differ in their values alone have equal templates."""

    request: tuple[str | int, ...]
    """Pieces of text, and the numbers of holes between them."""
    answer: tuple[str | int, ...]
    """The same of the answer."""
    types: tuple[str, ...]
    """The type of each hole, which are numbered in the order in which the request names them first."""

    @property
    def name(self) -> str:
        """The answer with the types of its holes, for people and as a key."""
        return "".join(piece if isinstance(piece, str) else f"<{self.types[piece]}>" for piece in self.answer)


def mine(request: str, answer: str, values: Iterable[HoleValue]) -> tuple[Template, tuple[HoleValue, ...]]:
    """The template of a pair, and what fills its holes.

    A value becomes a hole where both texts have it as a whole word; of two that overlap, the longer one does. The same word as two
    values is none: nobody could say which of them it was.

    >>> mine("Rows of t over 5.", "SELECT * FROM t WHERE a > 5", [HoleValue(type="number", said="5", written="5")])[0].name
    'SELECT * FROM t WHERE a > <number>'
    """
    given = sorted(set(values), key=lambda one: (-len(one.said), one.said, one.written, one.type))
    said, written = [one.said for one in given], [one.written for one in given]
    clear = [one for one in given if said.count(one.said) == written.count(one.written) == 1]
    asked, answered = (_pieces(text, [getattr(one, side) for one in clear]) for text, side in ((request, "said"), (answer, "written")))
    both = [number for number in dict.fromkeys(piece for piece in asked if isinstance(piece, int)) if number in answered]
    place = {number: new for new, number in enumerate(both)}
    sides = (
        _joined(place[piece] if piece in place else piece if isinstance(piece, str) else getattr(clear[piece], side) for piece in pieces)
        for pieces, side in ((asked, "said"), (answered, "written"))
    )
    found = Template(request=next(sides), answer=next(sides), types=tuple(clear[number].type for number in both))
    return found, tuple(clear[number] for number in both)


def fill(template: Template, values: Sequence[HoleValue]) -> tuple[str, str]:
    """Request and answer with these values in the holes. Raises `ValueError` for another number of them, or of another type."""
    if (types := tuple(one.type for one in values)) != template.types:
        raise ValueError(f"the holes are of the types {template.types}; got values of {types}")
    request = "".join(piece if isinstance(piece, str) else values[piece].said for piece in template.request)
    return request, "".join(piece if isinstance(piece, str) else values[piece].written for piece in template.answer)


def is_clear(text: str, word: str, times: int | None = None) -> bool:
    """Whether a text has a word (so many times, or at least once) and nothing that could be the same word in another form.

    >>> is_clear("5 of the 7", "5", 1), is_clear("the name of each", "name"), is_clear("names by name", "name"), is_clear("at Name", "name")
    (True, True, False, False)
    """
    exact = sum(isinstance(piece, int) for piece in _pieces(text, [word]))
    alike = len(re.findall(rf"(?<![^\W_]){re.escape(word)}", text, re.IGNORECASE))
    return exact == alike and (exact == times if times is not None else exact > 0)


def template_of(answer: str) -> str:
    """An answer without its values, so that two answers of one form are the same; of calls of tools the names stay.

    >>> template_of("SELECT a FROM t WHERE b = 'x' LIMIT 5")
    'SELECT a FROM t WHERE b = ? LIMIT ?'
    """
    text, calls = read_reply(answer)
    if calls:
        forms = [{**call, "function": {**call["function"], "arguments": _form(call["function"]["arguments"])}} for call in calls]
        return reply_text(template_of(text), forms)  # type: ignore[arg-type]  # the spread keeps the keys
    return " ".join(_VALUE.sub("?", answer).split())


def _form(arguments: str) -> str:
    try:
        return json.dumps(_without_values(json.loads(arguments)))
    except ValueError:
        return "?"


def _without_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_values(value[name]) for name in sorted(value)}
    return [_without_values(value[0])] if isinstance(value, list) and value else "?"


def _pieces(text: str, words: Sequence[str]) -> list[str | int]:
    """The text cut where it has one of the words; a number in the place of each. Longer words come first."""
    named = [(number, word) for number, word in enumerate(words) if word.strip()]
    if not named:
        return [text]
    # A number goes on behind its point, and a name behind its dash or underscore.
    pattern = re.compile(r"(?<![\w.-])(?:" + "|".join(f"(?P<w{number}>{re.escape(word)})" for number, word in named) + r")(?![\w-]|\.\d)")
    pieces: list[str | int] = []
    end = 0
    for match in pattern.finditer(text):
        pieces += [text[end : match.start()], int(str(match.lastgroup)[1:])]
        end = match.end()
    return [*pieces, text[end:]]


def _joined(pieces: Iterable[str | int]) -> tuple[str | int, ...]:
    """Neighbouring texts as one, and no empty one."""
    found: list[str | int] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return tuple(found)
