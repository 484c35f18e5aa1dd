"""What may be exchanged in a request over tables and the statement that answers it, so that both still mean the same.

Names of columns for names of columns of the same kind, numbers for numbers, texts for other texts of the same column. Only what stands
in both, as the same word, is a value: what follows from a value (a position counted from zero, a share) would not change with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..templates import HoleValue, is_clear
from .sqlite import Table

_TOKEN = re.compile(r"'(?P<text>(?:[^']|'')*+)'|\"[^\"]*+\"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)")
_COMPARED = r"\b(\w+) (?:=|<>|!=|<=?|>=?) '{}'"
_WITH_TEXT = re.compile(r"\b(\w++) (?:=|<>|!=|<=?|>=?|(?:NOT )?(?:LIKE|IN|BETWEEN)) \(?'")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST = 8
"""Values offered in the place of one."""


def sql_exchanges(request: str, statement: str, tables: Sequence[Table]) -> dict[HoleValue, list[HoleValue]]:
    """The values that a request and its statement have in common, each with others of its type."""
    tokens: dict[str, Counter[str]] = {"text": Counter(), "name": Counter(), "number": Counter()}
    for match in _TOKEN.finditer(statement):
        if match.lastgroup:
            tokens[match.lastgroup][match[match.lastgroup]] += 1
    words = {word for counts in tokens.values() for word in counts}
    found = _columns(request, statement, tokens["name"], words, tables)
    found |= {value: [] for name in tokens["name"] for value in _spoken(request, "table", name) if name in {one.name for one in tables}}
    for number, times in tokens["number"].items():
        # A number may be two things; it is one where both texts have it once.
        if times == 1 and is_clear(request, number, 1) and is_clear(statement, number, 1):
            value = HoleValue(type="decimal" if "." in number else "integer", said=number, written=number)
            found[value] = [HoleValue(type=value.type, said=other, written=other) for other in _numbers(number)]
    for text, times in tokens["text"].items():
        if times == 1 and is_clear(request, text, 1) and is_clear(statement, text, 1):
            found |= _texts(request, statement, text, tables)
    return found


def _columns(
    request: str, statement: str, names: Mapping[str, int], words: Iterable[str], tables: Sequence[Table]
) -> dict[HoleValue, list[HoleValue]]:
    # A text is one of its own column's; beside another it would be a strange request. What several tables have joins them.
    owners = Counter(name for table in tables for name, _ in table.columns)
    fixed = set(_WITH_TEXT.findall(statement)) | {name for name, times in owners.items() if times > 1}
    found: dict[HoleValue, list[HoleValue]] = {}
    for table in tables:
        kinds = {name: column_kind(name, kind) for name, kind in table.columns}
        for name, kind in kinds.items():
            # An alias such as `avg_pages` would go on naming the old column.
            parts = any(word != name and name in word.split("_") for word in names)
            for value in _spoken(request, f"column {kind}", name) if name in names and not parts else ():
                blank = value.said != name
                others = (
                    other
                    for other in kinds
                    if name not in fixed and kinds[other] == kind and other not in words and not _mentioned(other, request)
                )
                found[value] = [
                    HoleValue(type=value.type, said=other.replace("_", " ") if blank else other, written=other) for other in others
                ][:_MOST]
    return found


def column_kind(name: str, kind: str) -> str:
    """What a column holds, more closely than its declared kind says."""
    # SQLite keeps days as text; people speak otherwise of them, and of keys otherwise than of quantities.
    last = name.lower().split("_")[-1]
    return {"date": "DATE", "id": "ID"}.get(last, kind)


def _spoken(request: str, type: str, name: str) -> list[HoleValue]:
    """The name as the request has it: as it is written, or with blanks; none where it has both, or other forms of it."""
    near = [form for form in dict.fromkeys((name, name.replace("_", " "))) if is_near(form, request)]
    return [HoleValue(type=type, said=form, written=name) for form in near if len(near) == 1 and is_clear(request, form)]


def _mentioned(name: str, request: str) -> bool:
    return is_near(name, request) or is_near(name.replace("_", " "), request)


def is_near(name: str, request: str) -> bool:
    """Whether a word of the request begins as a name does."""
    return re.search(rf"\b{re.escape(name)}", request, re.IGNORECASE) is not None


def _numbers(number: str) -> list[str]:
    if "." in number:
        return [f"{float(number) * share:.{len(number.partition('.')[2])}f}" for share in (0.5, 0.8, 1.3, 1.9)]
    value = int(number)
    near = (value // 2, value - 1, value + 1, value + 3, value + value // 2, 2 * value)
    return [str(one) for one in dict.fromkeys(near) if one > 0 and one != value]


def _texts(request: str, statement: str, text: str, tables: Sequence[Table]) -> dict[HoleValue, list[HoleValue]]:
    compared = re.search(_COMPARED.format(re.escape(text)), statement)
    if compared is None or "'" in text:
        return {}
    type = f"{'date' if _DATE.fullmatch(text) else 'text'} {compared[1]}"
    values: list[HoleValue] = []
    for table in tables:
        for place, (name, _) in enumerate(table.columns):
            if name == compared[1]:
                known = dict.fromkeys(str(row[place]) for row in table.rows if isinstance(row[place], str))
                others = (one for one in known if one != text and "'" not in one and one.strip() and not is_near(one, request))
                values += [HoleValue(type=type, said=one, written=one) for one in others]
    return {HoleValue(type=type, said=text, written=text): values[:_MOST]}
