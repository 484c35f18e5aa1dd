"""How a business user words a request, side by side with the SQL that it means."""

from __future__ import annotations

import datetime
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from .schemas import Column, Schema
from .sqlite import Table, Value

AGGREGATES = {"SUM": ("total", "total"), "AVG": ("average", "avg"), "MAX": ("highest", "max"), "MIN": ("lowest", "min")}
"""SQL function: the word for it, and how its alias begins."""

_COMPARISONS = {
    ">": ("is greater than", "is above", "exceeds", "is more than"),
    ">=": ("is at least", "is greater than or equal to", "is no less than"),
    "<": ("is less than", "is below", "is under"),
    "<=": ("is at most", "does not exceed", "is less than or equal to"),
    "=": ("is", "equals", "is exactly", "is equal to"),
}
_DATES = {">": ("is after", "is later than"), ">=": ("is on or after",), "<": ("is before", "is earlier than"), "<=": ("is on or before",)}


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A piece of a request in English and in SQL."""

    text: str
    sql: str


def literal(value: Value) -> str:
    """A value as SQL writes it."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def plural(words: str) -> str:
    """The plural of a noun phrase, by its last word."""
    if words.endswith("species"):
        return words
    if words.endswith(("s", "x", "ch", "sh")):
        return words + "es"
    if words.endswith("y") and words[-2] not in "aeiou":
        return words[:-1] + "ies"
    return words + "s"


def singular(words: str) -> str:
    """The phrase with its indefinite article."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def joined(items: Sequence[str]) -> str:
    """An English list: `a`, `a and b`, `a, b, and c`."""
    if len(items) < 3:
        return " and ".join(items)
    return ", ".join(items[:-1]) + ", and " + items[-1]


class RequestDraft:
    """One request in the making: a table with rows, a way of naming columns, and the dice."""

    def __init__(self, rng: random.Random, schema: Schema, table: Table, connection: sqlite3.Connection) -> None:
        self.rng = rng
        self.schema = schema
        self.table = table
        self.rows = plural(schema.noun)
        self._connection = connection
        self._identifiers = rng.random() < 0.25
        self._spelled_dates = rng.random() < 0.15

    def pick(self, *options: str) -> str:
        """One of several wordings."""
        return self.rng.choice(options)

    def chance(self, share: float) -> bool:
        """True in `share` of the cases."""
        return self.rng.random() < share

    def name(self, column: Column) -> str:
        """The column as the user calls it: in words, or by its identifier."""
        return column.name if self._identifiers else column.name.replace("_", " ").replace(" id", " ID")

    def names(self, columns: Sequence[Column]) -> str:
        """Several columns, listed."""
        return joined([self.name(column) for column in columns])

    def name_plural(self, column: Column) -> str:
        """The column in the plural, when it is called in words."""
        return self.name(column) if self._identifiers else plural(self.name(column))

    def columns(self, least: int, most: int) -> list[Column]:
        """Some columns, in table order."""
        count = min(self.rng.randint(least, most), len(self.schema.columns))
        chosen = self.rng.sample(range(len(self.schema.columns)), count)
        return [self.schema.columns[index] for index in sorted(chosen)]

    def any_of(self, *, measure: bool = False, grouping: bool = False) -> Column:
        """A column to compute with, or one to group by. Every schema has both."""
        fitting = [c for c in self.schema.columns if (c.measure and measure) or (c.grouping and grouping)]
        return self.rng.choice(fitting)

    def values(self, column: Column) -> list[Value]:
        """The column's values, row by row."""
        index = self.schema.columns.index(column)
        return [row[index] for row in self.table.rows]

    def spoken(self, value: Value) -> str:
        """A value as the user says it."""
        if isinstance(value, str) and self._spelled_dates and value[:2] == "20" and value[4:5] == "-":
            day = datetime.date.fromisoformat(value)
            return f"{day:%B} {day.day}, {day.year}"
        return literal(value)

    def count(self, condition: str) -> int:
        """How many rows satisfy a condition."""
        found: int = self._connection.execute(f"SELECT COUNT(*) FROM {self.table.name} WHERE {condition}").fetchone()[0]
        return found

    def numbers(self, query: str) -> list[float]:
        """The first column of a query's rows."""
        return [row[0] for row in self._connection.execute(query)]

    def where(self, *, compound: bool | None = None, least: int = 1) -> Clause:
        """A condition that `least` rows or more satisfy, and others do not; compound, simple, or either."""
        for _ in range(12):
            clause = self._compound() if (self.chance(0.45) if compound is None else compound) else self._simple()
            if least <= self.count(clause.sql) < len(self.table.rows):
                return clause
        key = self.schema.columns[0]
        return self._compare(key, self.rng.choice(self.values(key)[1:-4]), ">")

    def order(self, *, keys: Sequence[Column], sql: Sequence[str] | None = None, text: Sequence[str] | None = None) -> Clause:
        """An order over one or more keys, with a direction each."""
        words, parts = [], []
        for index, column in enumerate(keys):
            name = text[index] if text else self.name(column)
            down = self.chance(0.6)
            words.append(f"{name} {self.pick(*_directions(column, down))}")
            parts.append(f"{sql[index] if sql else column.name} {'DESC' if down else 'ASC'}")
        return Clause(text=f"{self.pick('ordered by', 'sorted by')} {' and then '.join(words)}", sql=f" ORDER BY {', '.join(parts)}")

    def limit(self, most: int) -> Clause:
        """A limit below `most` rows, sometimes with an offset."""
        size = self.rng.randint(1, max(1, min(8, most - 2)))
        rows = "entry" if size == 1 else "entries"
        if size > 1 and self.chance(0.35):
            skip = self.rng.randint(1, max(1, min(4, most - size)))
            nth = {1: "second", 2: "third", 3: "fourth", 4: "fifth"}[skip]
            text = self.pick(
                f"limit the results to {size} {rows} starting from the {nth} entry",
                f"skip the first {skip} and return the next {size} {rows}",
            )
            return Clause(text=text, sql=f" LIMIT {size} OFFSET {skip}")
        text = self.pick(f"limit the results to {size} {rows}", f"return only the first {size} {rows}", f"show at most {size} {rows}")
        return Clause(text=text, sql=f" LIMIT {size}")

    def _compound(self) -> Clause:
        """Two or three simple conditions, each of which matters: without it the rows would be others."""
        parts = [self._simple(column) for column in self.rng.sample(self.schema.columns, 3)]
        one, other, third = parts
        shape = self.rng.random()
        if shape < 0.55:
            whole = Clause(text=f"{one.text} and {other.text}", sql=f"{one.sql} AND {other.sql}")
        elif shape < 0.85:
            whole = Clause(text=f"either {one.text} or {other.text}", sql=f"{one.sql} OR {other.sql}")
        else:
            text = f"either {one.text} and {other.text}, or {third.text}"
            return Clause(text=text, sql=f"({one.sql} AND {other.sql}) OR {third.sql}")
        idle = self.count(whole.sql) in (self.count(one.sql), self.count(other.sql))
        return self._simple() if idle else whole

    def _simple(self, column: Column | None = None) -> Clause:
        column = column or self.rng.choice(self.schema.columns)
        value = self.rng.choice(self.values(column))
        if column.kind in ("pick", "person"):
            return self._text_condition(column, str(value))
        if column.kind in ("id", "ref"):
            return self._compare(column, value, "=")
        if column.kind in ("int", "real", "date") and self.chance(0.15):
            low, high = sorted(self.rng.sample(sorted(set(self.values(column)), key=str), 2), key=_as_key)
            words = self.pick("is between {} and {}", "ranges from {} to {}").format(self.spoken(low), self.spoken(high))
            return Clause(text=f"the {self.name(column)} {words}", sql=f"{column.name} BETWEEN {literal(low)} AND {literal(high)}")
        return self._compare(column, value, self.pick(">", ">=", "<", "<=", "=" if column.kind == "year" else ">"))

    def _compare(self, column: Column, value: Value, operator: str) -> Clause:
        words = self.pick(*(_DATES if column.kind == "date" else _COMPARISONS)[operator])
        return Clause(text=f"the {self.name(column)} {words} {self.spoken(value)}", sql=f"{column.name} {operator} {literal(value)}")

    def _text_condition(self, column: Column, value: str) -> Clause:
        name, roll = self.name(column), self.rng.random()
        others = sorted({str(other) for other in self.values(column)} - {value})
        if roll < 0.15 and others:
            other = self.rng.choice(others)
            words = self.pick("is either {} or {}", "is {} or {}", "is one of {} and {}").format(literal(value), literal(other))
            return Clause(text=f"the {name} {words}", sql=f"{column.name} IN ({literal(value)}, {literal(other)})")
        if roll < 0.25:
            return Clause(text=f"the {name} is not {literal(value)}", sql=f"{column.name} <> {literal(value)}")
        if roll < 0.35 or (column.kind == "person" and roll < 0.55):
            return self._pattern(column, value)
        return Clause(
            text=f"the {name} {self.pick('is', 'equals', 'is equal to')} {literal(value)}", sql=f"{column.name} = {literal(value)}"
        )

    def _pattern(self, column: Column, value: str) -> Clause:
        name, piece = self.name(column), value.split()[0]
        if self.chance(0.5):
            return Clause(text=f"the {name} starts with '{piece[:2]}'", sql=f"{column.name} LIKE '{piece[:2]}%'")
        return Clause(text=f"the {name} contains '{piece[1:4]}'", sql=f"{column.name} LIKE '%{piece[1:4]}%'")


def _directions(column: Column, down: bool) -> tuple[str, ...]:
    plain = f"in {'descending' if down else 'ascending'} order"
    if column.kind == "date":
        return plain, "from newest to oldest" if down else "from oldest to newest"
    if column.kind in ("int", "real"):
        return plain, "from highest to lowest" if down else "from lowest to highest"
    return (plain,)


def _as_key(value: Value) -> tuple[float, str]:
    return (0.0, value) if isinstance(value, str) else (float(value) if isinstance(value, int | float) else 0.0, "")
