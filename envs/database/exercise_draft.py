"""Parts of exercises over a table that was only seen: conditions, figures, orders and limits in SQL, and how people word them."""

from __future__ import annotations

import datetime
import random
import sqlite3
from collections.abc import Sequence

from .inference import schema_of
from .phrases import Clause, RequestDraft, joined, literal, plural, singular
from .schemas import Column
from .sqlite import Table, Value

_MORE = ("exceeds {}", "is greater than {}", "is above {}", "is over {}", "is more than {}")
_WORDS = {
    ">": _MORE,
    ">=": ("is at least {}", "is {} or higher", "is greater than or equal to {}"),
    "<": ("is less than {}", "is below {}", "is under {}", "is lower than {}"),
    "<=": ("is at most {}", "is {} or lower"),
    "=": ("is {}", "is equal to {}", "equals {}"),
}
_ADJECTIVES = {
    ">": ("exceeding {}", "greater than {}", "above {}", "over {}"),
    ">=": ("of at least {}", "of {} or higher"),
    "<": ("below {}", "under {}", "less than {}"),
    "<=": ("of at most {}",),
    "=": ("of {}", "equal to {}"),
}
_DATES = {
    ">": ("is after {}", "is later than {}"),
    ">=": ("is on or after {}", "is from {} onwards"),
    "<": ("is before {}", "is earlier than {}"),
    "<=": ("is on or before {}",),
    "=": ("is {}",),
}
_FUNCTIONS = {
    "SUM": ("total {}", "total {}", "sum of {}", "total sum of {}"),
    "AVG": ("average {}",),
    "MAX": ("highest {}", "maximum {}"),
    "MIN": ("lowest {}", "minimum {}"),
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_DIRECTIONS = {True: ("in descending order", "descending"), False: ("in ascending order", "ascending")}
_BY_KIND = {
    "date": {True: "from newest to oldest", False: "from oldest to newest"},
    "pick": {True: "in reverse alphabetical order", False: "in alphabetical order"},
    "": {True: "from highest to lowest", False: "from lowest to highest"},
}


class ExerciseDraft(RequestDraft):
    """One exercise in the making, over any table. Statements name no results: they order and filter by formulas alone."""

    def __init__(self, rng: random.Random, table: Table, connection: sqlite3.Connection) -> None:
        super().__init__(rng, schema_of(table), table, connection)
        words = table.name.replace("_", " ")
        self.rows = self.pick(words, words, words.split()[-1], "entries", "records")
        self._commas = self.chance(0.4)
        self._spelled_dates = self.chance(0.6)
        self._identifiers = self.chance(0.1)
        self._kinds = {column.name: "pick" if column.kind == "person" else column.kind for column in self.schema.columns}

    def name(self, column: Column) -> str:
        """See `RequestDraft`; sometimes a word of the name is left out, where the others still say which column it is."""
        words = column.name.split("_")
        if len(words) > 1 and not self._identifiers and self.chance(0.15):
            rest = list(words)
            rest.pop(self.rng.randrange(len(words)))
            taken = [set(other.name.split("_")) for other in self.schema.columns if other != column]
            if rest != ["id"] and not any(set(rest) <= other for other in taken):
                return " ".join(rest).replace(" id", " ID")
        return super().name(column)

    def name_plural(self, column: Column) -> str:
        """See `RequestDraft`; a name that is a plural already stays."""
        name = self.name(column)
        return name if self._identifiers or (name.endswith("s") and not name.endswith(("ss", "us", "is"))) else plural(name)

    def who(self) -> str:
        """The rows in a question: as the table calls them, or as what a key or a name of theirs identifies."""
        key = self.rng.choice(self.schema.columns)
        ending = next((end for end in ("_id", "_name", "_number") if key.name.endswith(end)), "")
        who = key.name.removesuffix(ending).replace("_", " ")
        return plural(who) if ending and self.chance(0.5) else self.rows

    def short_plural(self, column: Column) -> str:
        """The column in the plural, sometimes as what it identifies: `customers` for `customer_id`."""
        words = column.name.replace("_", " ")
        for ending in (" id", " name"):
            if words.endswith(ending) and self.chance(0.3):
                return plural(words.removesuffix(ending))
        return self.name_plural(column)

    def number(self, value: float) -> str:
        """A number as people write it."""
        whole = int(value) if float(value).is_integer() else value
        return f"{whole:,}" if self._commas and abs(whole) >= 1000 else f"{whole}"

    def spoken(self, value: Value) -> str:
        """See `RequestDraft`; numbers may have commas."""
        if isinstance(value, int | float):
            return self.number(value)
        if self._spelled_dates and isinstance(value, str) and len(value) == 10 and value[4:5] == value[7:8] == "-":
            day = datetime.date.fromisoformat(value)
            return f"{day:%B} {day.day}, {day.year}"
        return literal(value)

    def keys(self, most: int = 2) -> list[Column]:
        """Columns to group by. Raises `IndexError` where the table has none."""
        fitting = [column for column in self.schema.columns if column.grouping]
        if len(fitting) < 2 or most < 2 or self.chance(0.5):
            # What people group by is not always a category.
            fitting += [column for column in self.schema.columns if column.kind in ("person", "date")][: self.chance(0.3)]
            return [self.rng.choice(fitting)]
        return self.rng.sample(fitting, 2)

    def measure(self) -> Column:
        """A column to compute with. Raises `IndexError` where the table has none."""
        return self.any_of(measure=True)

    def condition(self, column: Column | None = None) -> Clause:
        """One condition, as it follows `where`."""
        column, operator, value = self._comparison(column)
        others = sorted({str(other) for other in self.values(column)} - {str(value)})
        if column.kind == "pick" and others and self.chance(0.12):
            other = self.rng.choice(others)
            text = f"the {self.name(column)} is either {literal(value)} or {literal(other)}"
            return Clause(text=text, sql=f"{column.name} IN ({literal(value)}, {literal(other)})")
        if column.kind == "date" and isinstance(value, str) and self.chance(0.08):
            return Clause(text=f"the {self.name(column)} is in {value[:4]}", sql=f"{column.name} LIKE '{value[:4]}%'")
        words = (_DATES if column.kind == "date" else _WORDS)[operator]
        article = self.pick("the ", "the ", "")
        name = self.name(column)
        text = f"{article}{name} {_agreeing(self.pick(*words), name).format(self.spoken(value))}"
        return Clause(text=text, sql=f"{column.name} {operator} {literal(value)}")

    def filtered(self, *, compound: float = 0.4) -> Clause:
        """A condition or several, with the word that leads to it, and ` WHERE ...`; some rows satisfy it, and others do not."""
        for _ in range(12):
            clause = self._compound() if self.chance(compound) else self._led()
            if 0 < self.count(clause.sql) < len(self.table.rows):
                break
        return Clause(text=clause.text, sql=f" WHERE {clause.sql}")

    def figure(self, *, ranges: float = 0.15) -> Clause:
        """Something computed over a group; its name without an article."""
        roll = self.rng.random() if ranges < 1 else 0.3
        if roll < 0.3:
            noun = self.schema.noun
            text = self.pick(f"total number of {self.rows}", f"number of {self.rows}", f"total {self.rows}", f"{noun} count")
            return Clause(text=text, sql="COUNT(*)")
        column = self.measure()
        name = self.name(column)
        if roll < 0.3 + ranges:
            text = self.pick(
                f"{name} range (difference between maximum and minimum {name})",
                f"difference between the highest and lowest {name}",
                f"range of {name} (difference between maximum and minimum)",
            )
            return Clause(text=text, sql=f"MAX({column.name}) - MIN({column.name})")
        function = self.rng.choices(list(_FUNCTIONS), weights=[5, 5, 1, 1])[0]
        return Clause(text=self.pick(*_FUNCTIONS[function]).format(name), sql=f"{function}({column.name})")

    def bound(self, figure: Clause, keys: Sequence[Column], *, have: bool) -> Clause:
        """A figure held against a number, as it follows `where` or, with `have`, `have`."""
        groups = ", ".join(column.name for column in keys)
        values = sorted(
            value for value in self.numbers(f"SELECT {figure.sql} FROM {self.table.name} GROUP BY {groups}") if value is not None
        )
        value = _rounded(self.rng.choice(values))
        most = _rounded(values[-1])
        if value < most and self.chance(0.12):
            low, high, name = self.number(value), self.number(most), figure.text.partition(" (")[0]
            lead = singular(name) if have else f"the {name} is"
            if self.chance(0.5):
                return Clause(text=f"{lead} between {low} and {high}", sql=f"{figure.sql} BETWEEN {value} AND {most}")
            text = f"{lead} greater than {low} and less than {high}"
            return Clause(text=text, sql=f"{figure.sql} > {value} AND {figure.sql} < {most}")
        operator = self.rng.choices((">", "<", ">=", "<="), weights=(8, 3, 2, 1))[0]
        said, name = self.number(value), figure.text.partition(" (")[0]
        sql = f"{figure.sql} {operator} {value}"
        if figure.sql == "COUNT(*)" and self.chance(0.7):
            many = {">": "more than", ">=": "at least", "<": "fewer than", "<=": "at most"}[operator]
            return Clause(text=f"{'' if have else 'there are '}{many} {said} {self.rows}", sql=sql)
        if have:
            return Clause(text=f"{singular(name)} {self.pick(*_ADJECTIVES[operator]).format(said)}", sql=sql)
        return Clause(text=f"the {name} {_agreeing(self.pick(*_WORDS[operator]), name).format(said)}", sql=sql)

    def sorted_by(self, choices: Sequence[Clause], most: int = 2) -> Clause:
        """An order by one or two of some named formulas."""
        chosen = self.rng.sample(list(choices), min(len(choices), most if self.chance(0.6) else 1))
        down = [self.chance(0.55) for _ in chosen]
        names = [clause.text.partition(" (")[0] for clause in chosen]
        sql = ", ".join(f"{clause.sql} {'DESC' if falls else 'ASC'}" for clause, falls in zip(chosen, down, strict=True))
        if len(chosen) == 2 and down[0] == down[1] and self.chance(0.4):
            return Clause(text=f"ordered by {names[0]} and {names[1]} {_DIRECTIONS[down[0]][0]}", sql=f" ORDER BY {sql}")
        ways = [
            self.pick(*_DIRECTIONS[falls], _BY_KIND.get(self._kinds.get(clause.sql, ""), _BY_KIND[""])[falls])
            for clause, falls in zip(chosen, down, strict=True)
        ]
        parts = [f"{name} {way}" for name, way in zip(names, ways, strict=True)]
        if len(parts) == 1:
            return Clause(text=f"ordered by {parts[0]}", sql=f" ORDER BY {sql}")
        text = self.pick("ordered by {} and {}", "ordered first by {} and then by {}", "ordered by {}, then by {}").format(*parts)
        return Clause(text=text, sql=f" ORDER BY {sql}")

    def limited(self) -> Clause:
        """How many rows, and sometimes how many are left out before."""
        size = self.rng.choice((3, 5, 5, 5, 10, 10, 2, 4, 7))
        if self.chance(0.6):
            text = self.pick("limited to {} entries", "limited to the top {} entries", "limit the results to {} entries", "limited to {}")
            return Clause(text=text.format(size), sql=f" LIMIT {size}")
        skip = self.rng.randint(1, 5)
        nth = _ORDINALS[skip] if self.chance(0.6) else f"{skip + 1}{({2: 'nd', 3: 'rd'}).get(skip + 1, 'th')}"
        said = self.rng.choice((str(skip), ("", "one", "two", "three", "four", "five")[skip]))
        text = self.pick(
            f"limited to {size} entries starting from the {nth} entry",
            f"starting from the {nth} entry and limited to {size} entries",
            f"skipping the first {said} entries and returning the next {size}",
            f"skipping the first {said} and limiting the results to {size} entries",
        )
        return Clause(text=text, sql=f" LIMIT {size} OFFSET {skip}")

    def _comparison(self, column: Column | None) -> tuple[Column, str, Value]:
        column = column or self.rng.choice(self.schema.columns)
        value = self.rng.choice([value for value in self.values(column) if value is not None])
        if column.kind in ("pick", "person", "id", "ref"):
            return column, "=", value
        operator = self.rng.choices((">", "<", ">=", "<=", "="), weights=(6, 4, 2, 1, 2 if column.kind == "year" else 0))[0]
        return column, operator, _rounded(value) if column.kind in ("int", "real") and isinstance(value, int | float) else value

    def _attributes(self) -> Clause:
        """Two or three conditions as attributes: `with a status of 'open', quantity exceeding 500, and due date before June 30, 2023`."""
        texts, parts = [], []
        for column in self.rng.sample(self.schema.columns, self.rng.choice((2, 2, 3))):
            _, operator, value = self._comparison(column)
            said, words = self.spoken(value), _ADJECTIVES[operator]
            if column.kind == "date":
                words = tuple(word.removeprefix("is ") for word in _DATES[operator])
            texts.append(f"{self.name(column)} {self.pick(*words).format(said)}")
            parts.append(f"{column.name} {operator} {literal(value)}")
        return Clause(text=f"with {self.pick('a ', '')}{joined(texts)}", sql=" AND ".join(parts))

    def _led(self) -> Clause:
        """A simple condition with the word that leads to it."""
        if self.chance(0.6):
            clause = self.condition()
            return Clause(text=f"{self.pick('where', 'where', 'for which')} {clause.text}", sql=clause.sql)
        column, operator, value = self._comparison(None)
        name, said = self.name(column), self.spoken(value)
        if column.kind == "date":
            text = f"with {singular(name)} {self.pick(*_DATES[operator]).removeprefix('is ').format(said)}"
        elif operator == "=":
            text = self.pick(f"with {singular(name)} of {said}", f"with {name} {said}", f"with a {said} {name}", f"in the {said} {name}")
        else:
            text = f"with {singular(name)} {self.pick(*_ADJECTIVES[operator]).format(said)}"
        return Clause(text=text, sql=f"{column.name} {operator} {literal(value)}")

    def _compound(self) -> Clause:
        if self.chance(0.3):
            return self._attributes()
        one, other, third = (self.condition(column) for column in self.rng.sample(self.schema.columns, 3))
        shape = self.rng.random()
        if shape < 0.5:
            return Clause(text=f"where {one.text} and {other.text}", sql=f"{one.sql} AND {other.sql}")
        if shape < 0.8:
            return Clause(text=f"where {self.pick('either ', '')}{one.text} or {other.text}", sql=f"{one.sql} OR {other.sql}")
        text = f"where either {one.text} and {other.text}, or {third.text}"
        return Clause(text=text, sql=f"({one.sql} AND {other.sql}) OR {third.sql}")


def _agreeing(words: str, name: str) -> str:
    """What is said of a name, in the plural where the name is one.

    >>> _agreeing("exceeds {}", "total deposits"), _agreeing("is below {}", "status")
    ('exceed {}', 'is below {}')
    """
    if not name.endswith("s") or name.endswith(("ss", "us", "is")):
        return words
    verb, _, rest = words.partition(" ")
    agreed = {"is": "are", "exceeds": "exceed", "equals": "equal"}.get(verb, verb)
    return f"{agreed} {rest}"


def named(draft: RequestDraft, columns: Sequence[Column]) -> list[Clause]:
    """Columns as things to select, order by or name."""
    return [Clause(text=draft.name(column), sql=column.name) for column in columns]


def listed(clauses: Sequence[Clause]) -> str:
    """What a SELECT has."""
    return ", ".join(clause.sql for clause in clauses)


def spoken_list(clauses: Sequence[Clause]) -> str:
    """The same in words."""
    return joined([clause.text for clause in clauses])


def _rounded(value: float) -> float:
    """A number such as people use for bounds: two leading figures, as a whole number from ten on."""
    if abs(value) < 10:
        return round(value, 1) if not float(value).is_integer() else int(value)
    step = 10 ** (len(str(int(abs(value)))) - 2)
    return round(value / step) * step if step > 1 else round(value)
