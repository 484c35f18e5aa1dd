"""Statements that a model's answer may hold: labels, code fences and prose come off; the executor's parser decides among them.

Every expression here reads an answer in linear time, and `MAX_ANSWER` bounds what is read at all.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain

MAX_ANSWER = 20_000
"""Characters that an answer may have; a longer one is refused unread."""
MAX_CANDIDATES = 24
"""Statements tried in one answer."""
_MAX_BODIES = 8
_MAX_CUTS = 6
_MAX_SEMICOLONS = 50

_FENCE = re.compile(r"(?:```|~~~)[a-zA-Z]*+[ \t]*+\n?(.*?)(?:```|~~~|\Z)", re.DOTALL)
_FENCE_MARK = re.compile(r"(?:```|~~~)[a-zA-Z]*+")
_QUOTE_MARK = re.compile(r"^[ \t]*+>[ \t]?", re.MULTILINE)
_INLINE = re.compile(r"`([^`]++)`")
_LABEL = re.compile(r"\A\s*+(?:sql|sparql|answer|query|statement|final answer)\s*+:\s*+", re.IGNORECASE)
_LINE_END = re.compile(r"\n")
_BLANK = re.compile(r"\n[ \t\r]*+\n")
_SQL = r"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|VALUES)\b"
_SPARQL = r"(?:SELECT|ASK|PREFIX|BASE|CONSTRUCT|DESCRIBE)\b"
# A statement begins a line, or follows a label such as `The query is:`; marks of Markdown may stand in between, but no SQL comment.
_MARKS = r"(?:[ \t>*_+]|-(?!-)|\d++[.)])*+"
_SQL_START = re.compile(rf"(?:^|:){_MARKS}(?={_SQL})", re.IGNORECASE | re.MULTILINE)
_SPARQL_START = re.compile(rf"(?:^|:){_MARKS}(?={_SPARQL})", re.IGNORECASE | re.MULTILINE)
# What follows the last brace of a SPARQL query and is no part of it: a word that begins no solution modifier.
_PROSE = re.compile(r"[\s*_.;`]*+(?:\Z|(?!ORDER|LIMIT|OFFSET|GROUP|HAVING|VALUES)[^\W\d])", re.IGNORECASE)

_STATEMENT = re.compile(rf"{_SQL}|{_SPARQL}", re.IGNORECASE)


def sql_candidates(answer: str) -> list[str]:
    r"""SQL statements that an answer may mean, likeliest first, each without its final semicolon.

    Code fences go before the text around them. A statement reaches to the first semicolon that SQLite's tokenizer finds outside
    of strings and comments; where that does not parse, prose may follow after a blank line. Never empty; an answer without any
    statement comes back stripped, so that SQLite can say what is wrong with it.

    >>> sql_candidates("Here it is:\nSELECT a FROM b;\nIt lists all a.")[-1]
    'SELECT a FROM b'
    """
    return _candidates(answer, _SQL_START, lambda text: _cut_at_blank_lines(_first_sql_statement(text)))


def sparql_candidates(answer: str) -> list[str]:
    """SPARQL queries that an answer may mean, found as `sql_candidates` finds SQL; semicolons belong to SPARQL and stay.

    Prose after the query comes off without a blank line too.

    >>> sparql_candidates("1. ASK { :a :b ?c } asks for it.")[-1]
    'ASK { :a :b ?c }'
    """
    return _candidates(answer, _SPARQL_START, _cut_sparql)


def reported(candidates: list[str]) -> str:
    r"""The candidate whose error the agent is shown when none is a statement: the first that begins like one, without prose.

    >>> reported(["Well, I would:", "SELECT a FROM\n\nas you see", "SELECT a FROM"])
    'SELECT a FROM'
    """
    first = next((text for text in candidates if _STATEMENT.match(text)), candidates[0])
    return min((text for text in candidates if text and first.startswith(text)), key=len, default=first)


def _candidates(answer: str, start: re.Pattern[str], cut: Callable[[str], Iterator[str]]) -> list[str]:
    found: dict[str, None] = {}
    for body in chain(_bodies(answer, start), _bodies(_QUOTE_MARK.sub("", answer), start)):
        for text in [body, *(body[match.end() :] for match in _first(start.finditer(body), _MAX_BODIES))]:
            found.update(dict.fromkeys(cut(text)))
            if len(found) >= MAX_CANDIDATES:
                return list(found)[:MAX_CANDIDATES]
    return list(found) or [""]


def _bodies(answer: str, start: re.Pattern[str]) -> Iterator[str]:
    """Texts that may hold the statement: the code fences, then everything, then inline code that begins like a statement."""
    for fence in _first(_FENCE.finditer(answer), _MAX_BODIES):
        yield _LABEL.sub("", fence[1])
    # A mark ends what is before it as a blank line does.
    yield _LABEL.sub("", _FENCE_MARK.sub("\n\n", answer))
    for code in _first((code for code in _INLINE.finditer(answer) if start.match(code[1])), _MAX_BODIES):
        yield code[1]


def _first_sql_statement(text: str) -> str:
    """The text up to the semicolon that ends its first statement, or all of it."""
    text = text.lstrip("; \t\r\n")
    for match in _first(re.finditer(";", text), _MAX_SEMICOLONS):
        try:
            complete = sqlite3.complete_statement(text[: match.end()])
        except ValueError:  # NUL, or half of a surrogate pair: SQLite says so when it is asked to run this
            break
        if complete:
            return text[: match.start()].strip()
    return text.strip()


def _cut_at_blank_lines(text: str) -> Iterator[str]:
    """The text, then the text up to a blank line, from the last to the first."""
    yield text
    ends = [match.start() for match in _BLANK.finditer(text)]
    for end in reversed(ends[:_MAX_CUTS]):
        yield text[:end].strip()


def _cut_sparql(text: str) -> Iterator[str]:
    """As `_cut_at_blank_lines`, then the text up to a line or word after its last brace that is prose."""
    text = text.strip()
    yield from _cut_at_blank_lines(text)
    end = text.rfind("}") + 1
    places = [end, *(match.start() for match in _first(_LINE_END.finditer(text, end), _MAX_CUTS))]
    for place in reversed(places if end else []):
        if _PROSE.match(text, place):
            yield text[:place].strip()


def _first(matches: Iterator[re.Match[str]], count: int) -> Iterator[re.Match[str]]:
    return (match for _, match in zip(range(count), matches, strict=False))
