"""What the columns of a table that was only seen are for: keys, numbers, dates, categories, free text; read off names and rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .schemas import Column, Schema
from .sqlite import Table, Value

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?")
CATEGORY_SHARE = 0.6
"""Share of different values among the rows up to which a text column counts as a category."""


def schema_of(table: Table) -> Schema:
    """The table as a `Schema`, the kind of each column inferred.

    >>> rows = ((1, "red", "2023-01-05", 4.5), (2, "red", "2023-02-05", 3.0), (3, "blue", "2023-03-05", 2.5))
    >>> rows += ((4, "blue", "2023-04-05", 1.5), (5, "red", "2023-05-05", 2.0))
    >>> columns = (("visit_id", "INT"), ("room", "TEXT"), ("visit_date", "TEXT"), ("fee", "REAL"))
    >>> [column.kind for column in schema_of(Table(name="room_visits", columns=columns, rows=rows)).columns]
    ['id', 'pick', 'date', 'real']
    """
    columns = [
        Column(name=name, kind=_kind(name, place == 0, [row[place] for row in table.rows])) for place, (name, _) in enumerate(table.columns)
    ]
    return Schema(name=table.name, noun=_singular(table.name.replace("_", " ")), columns=tuple(columns))


def _kind(name: str, first: bool, values: Sequence[Value]) -> str:
    known = [value for value in values if value is not None]
    repeated = len(set(known)) < len(known)
    if all(isinstance(value, int | float) for value in known):
        if name.endswith("year") or (known and all(1900 <= float(str(value)) <= 2100 for value in known) and "year" in name):
            return "year"
        if name == "id" or name.endswith("_id") or (first and not repeated):
            return "ref" if repeated else "id"
        if set(known) <= {0, 1}:
            return "ref"  # a flag: compared for equality and grouped by, never summed
        return "int" if all(isinstance(value, int) for value in known) else "real"
    if all(isinstance(value, str) and _DATE.fullmatch(value) for value in known):
        return "date"
    return "pick" if len(set(known)) <= CATEGORY_SHARE * len(known) else "person"


def _singular(words: str) -> str:
    if words.endswith("ies"):
        return words[:-3] + "y"
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words
