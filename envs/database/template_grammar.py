"""The statements over a task's tables that have the form of another task's statement: a template with typed holes.

What a solved task's statement says of its own tables (names, numbers, texts) becomes a hole of its type; keywords and the order of clauses
stay. Names that it makes up itself are numbered, so that nothing of what it was about is left. Text-to-SQL over a history of queries
decodes the holes alone under such a grammar (TeCoD, https://arxiv.org/abs/2604.28028).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .exchanges import column_kind
from .grammar import alternatives, quoted, shown_tables
from .literals import literals

_TOKEN = re.compile(r"'(?P<text>(?:[^']|'')*+)'|\"(?P<quoted>[^\"]*+)\"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)")
_WORD = re.compile(
    "ABS|ALL|AND|AS|ASC|AVG|BETWEEN|BY|CASE|CAST|COALESCE|COUNT|CROSS|DATE|DELETE|DESC|DISTINCT|ELSE|END|EXCEPT|EXISTS|FALSE|FROM|GROUP"
    "|HAVING|IFNULL|IN|INNER|INSERT|INTEGER|INTERSECT|INTO|IS|JOIN|LEFT|LENGTH|LIKE|LIMIT|LOWER|MAX|MIN|NOT|NULL|OFFSET|ON|OR|ORDER|OUTER"
    "|REAL|ROUND|SELECT|SET|STRFTIME|SUBSTR|SUM|TEXT|THEN|TRUE|UNION|UPDATE|UPPER|USING|VALUES|WHEN|WHERE|WITH",
    re.IGNORECASE,
)
"""Keywords and functions that a template keeps."""
MOST_EXPANDED = 64
"""Ways in which holes that must be filled alike may be written out; a statement with more of them may fill them differently."""
MOST_CHARACTERS = 2_000
"""Characters of a statement that is taken for a template."""


@dataclass(frozen=True, kw_only=True)
class _Hole:
    """A place in a statement that the task's own names or values fill."""

    name: str
    """What the old statement has there; holes of one name are filled alike."""
    options: tuple[str, ...]
    """What may stand there, as SQL writes it; empty for a value, which may differ each time."""
    rule: str
    """The rule of a value."""


def sql_template_grammar(context: str, request: str, solved_context: str, statement: str) -> str:
    """The grammar, in llguidance's form of Lark, of a task's statements that have the form of one over other tables.

    Contexts show tables as `Table.schema` writes them. Columns stand for columns of the same kind (of any kind, where there is none),
    one name for one name wherever it stands, numbers and texts for those of the request. Empty where a context shows no table, and where
    the statement is no single one or names no table of its own context.
    """
    own, old = shown_tables(context), shown_tables(solved_context)
    statement = statement.strip().rstrip(";").strip()
    if not own or not old or ";" in _TOKEN.sub("", statement) or len(statement) > MOST_CHARACTERS:
        return ""
    pieces = _pieces(" ".join(statement.split()), own, old)
    if not any(isinstance(piece, _Hole) and piece.name in old for piece in pieces):
        return ""
    values = literals(request)
    texts = [text.replace("'", "''") for text in values.texts]
    return "\n".join(
        [
            "%llguidance {}",
            'start: statement ";"?',
            "statement: " + " | ".join(_rules(pieces)),
            "NUMBER: " + alternatives(values.numbers),
            "TEXT: " + alternatives(texts),
            "",
        ]
    )


def _pieces(
    statement: str, own: Mapping[str, Sequence[tuple[str, str]]], old: Mapping[str, Sequence[tuple[str, str]]]
) -> list[str | _Hole]:
    kinds = {name: column_kind(name, kind) for columns in old.values() for name, kind in columns}
    pieces: list[str | _Hole] = []
    made_up: dict[str, str] = {}
    end = 0
    for match in _TOKEN.finditer(statement):
        name = match["name"] or match["quoted"]
        hole: str | _Hole = match[0]
        if match["number"]:
            hole = _Hole(name="", options=(), rule="NUMBER")
        elif match["text"] is not None:
            hole = _Hole(name="", options=(), rule=_text_rule(match["text"]))
        elif name in old:
            hole = _Hole(name=name, options=tuple(map(quoted, own)), rule="")
        elif name in kinds:
            alike = [one for columns in own.values() for one, kind in columns if column_kind(one, kind) == kinds[name]]
            some = alike or [one for columns in own.values() for one, _ in columns]
            hole = _Hole(name=name, options=tuple(dict.fromkeys(map(quoted, some))), rule="")
        elif not _WORD.fullmatch(name):
            hole = made_up.setdefault(name, f"n{len(made_up) + 1}")
        pieces += [statement[end : match.start()], hole]
        end = match.end()
    return [*pieces, statement[end:]]


def _text_rule(text: str) -> str:
    """A text hole; the signs at the ends of a pattern stay."""
    if not text:
        return "\"''\""
    before, after = text.startswith("%"), text.endswith("%") and len(text) > 1
    return json.dumps("'" + "%" * before) + " TEXT " + json.dumps("%" * after + "'")


def _rules(pieces: Sequence[str | _Hole]) -> list[str]:
    """The statement with its holes: once for each way of filling those that occur several times, as far as there are few ways."""
    times = dict[str, int]()
    options = dict[str, tuple[str, ...]]()
    for piece in pieces:
        if isinstance(piece, _Hole) and piece.options:
            times[piece.name] = times.get(piece.name, 0) + 1
            options[piece.name] = piece.options
    repeated: list[str] = []
    ways = 1
    for name in options:
        if times[name] > 1 and ways * len(options[name]) <= MOST_EXPANDED:
            repeated.append(name)
            ways *= len(options[name])
    fillings = list(itertools.product(*(options[name] for name in repeated)))
    # Two names of the old statement were two things; where the task has no two of that kind they may be one.
    different = [filled for filled in fillings if len(set(filled)) == len(filled)]
    return [_rule(pieces, dict(zip(repeated, filled, strict=True))) for filled in different or fillings]


def _rule(pieces: Sequence[str | _Hole], filled: Mapping[str, str]) -> str:
    parts: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            parts += [json.dumps(piece, ensure_ascii=False)] if piece else []
        elif piece.name in filled:
            parts.append(json.dumps(filled[piece.name], ensure_ascii=False))
        elif piece.options:
            parts.append(f"({alternatives(piece.options)})")
        else:
            parts.append(piece.rule)
    return " ".join(parts)
