"""Exercises over tables that were only seen: statements of many kinds that run and do something, and requests that ask for them.

Made from answers to requests, as the dreams of wake-sleep program learning are: sample a program, execute it, say what it does (Ellis
et al. 2021, "DreamCoder", https://arxiv.org/abs/2006.08381, section 2; Hinton et al. 1995, "The wake-sleep algorithm",
https://doi.org/10.1126/science.7761831).
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

from .exercise_draft import ExerciseDraft, listed, named, spoken_list
from .generator import Request
from .phrases import Clause, joined, literal, plural, singular
from .schemas import Column
from .sqlite import StatementRefused, Table, Value, execute, load

NOTHING = Clause(text="", sql="")
"""What stands where a request has no such part."""


def select(draft: ExerciseDraft) -> Request:
    """Columns of the rows that satisfy one condition or several."""
    where = draft.filtered(compound=0.55)
    return _rows(draft, where, NOTHING)


def order(draft: ExerciseDraft) -> Request:
    """Rows in an order by one key or two."""
    where = draft.filtered() if draft.chance(0.4) else NOTHING
    return _rows(draft, where, draft.sorted_by(named(draft, draft.schema.columns)))


def limit(draft: ExerciseDraft) -> Request:
    """Some rows of an order, or of no order."""
    where = draft.filtered() if draft.chance(0.4) else NOTHING
    sort = draft.sorted_by(named(draft, draft.schema.columns)) if draft.chance(0.8) else NOTHING
    return _rows(draft, where, sort, limited=True)


def distinct(draft: ExerciseDraft) -> Request:
    """The different values of a column."""
    column, where = draft.keys(1)[0], draft.filtered() if draft.chance(0.4) else NOTHING
    of = f"of the {draft.rows}" + (f" {where.text}" if where.text else "")
    names = draft.name_plural(column)
    goal = draft.pick(f"What distinct {names} are there {of}?", f"List the different {names} {of}.")
    return goal, f"SELECT DISTINCT {column.name} FROM {draft.table.name}{where.sql}"


def aggregate(draft: ExerciseDraft) -> Request:
    """One figure or two over all rows, or those that satisfy a condition."""
    where = draft.filtered() if draft.chance(0.6) else NOTHING
    figures = [draft.figure(ranges=0.05)]
    if draft.chance(0.25) and (other := draft.figure(ranges=0)).sql != figures[0].sql:
        figures.append(other)
    words = joined([figure.text for figure in figures])
    of = f" of {draft.rows}{' ' + where.text if where.text else ''}"
    goal = draft.pick(f"What {'are' if len(figures) > 1 else 'is'} the {words}{of}?", f"Return the {words}{of}.")
    return goal, f"SELECT {listed(figures)} FROM {draft.table.name}{where.sql}"


def group(draft: ExerciseDraft) -> Request:
    """Figures of each group."""
    return _groups(draft, bounds=0, ranges=0.05)


def having(draft: ExerciseDraft) -> Request:
    """Figures of groups of which one figure or two are over or under a bound."""
    return _groups(draft, bounds=draft.rng.choice((1, 1, 2)), ranges=0.05)


def value_range(draft: ExerciseDraft) -> Request:
    """Groups by how far their values lie apart."""
    return _groups(draft, bounds=draft.rng.choice((0, 1, 1)), ranges=1.0)


def having_average(draft: ExerciseDraft) -> Request:
    """Groups whose figure is over the average of all rows, or of all groups."""
    keys, column = draft.keys(), draft.measure()
    function, words = draft.rng.choice((("SUM", "total"), ("SUM", "total"), ("AVG", "average"), ("MAX", "maximum")))
    table, groups = draft.table.name, ", ".join(key.name for key in keys)
    name, figure = draft.name(column), Clause(text=f"{words} {draft.name(column)}", sql=f"{function}({column.name})")
    if draft.chance(0.6):
        inner, over = f"SELECT AVG({column.name}) FROM {table}", f"the average {name} of all {draft.rows}"
    else:
        outer = draft.rng.choice(("AVG", "MAX"))
        inner = f"SELECT {outer}(v) FROM (SELECT {function}({column.name}) AS v FROM {table} GROUP BY {groups})"
        over = f"the {'average' if outer == 'AVG' else 'maximum'} {words} {name} across all {_each(draft, keys)}"
    operator, more = draft.rng.choice(((">", "exceeds"), (">", "is greater than"), ("<", "is below"), ("<", "is less than")))
    names = named(draft, keys)
    goal = draft.pick(
        f"What are the {_plurals(draft, keys)} and their {figure.text} where the {figure.text} {more} {over}?",
        f"Which {_plurals(draft, keys)} have {singular(figure.text)} that {more} {over}?",
    )
    goal += f" Return the {spoken_list([*names, figure])}."
    statement = f"SELECT {listed([*names, figure])} FROM {table} GROUP BY {groups} HAVING {figure.sql} {operator} ({inner})"
    return _ended(draft, goal, statement, [*names, figure])


def nested(draft: ExerciseDraft) -> Request:
    """Rows held against figures over the whole table."""
    column, table = draft.measure(), draft.table.name
    name, shown = draft.name(column), named(draft, draft.columns(1, 3))
    least, average, most = (f"(SELECT {function}({column.name}) FROM {table})" for function in ("MIN", "AVG", "MAX"))
    shape = draft.rng.random()
    if shape < 0.45:
        operator, more = draft.rng.choice(((">", draft.pick("greater than", "higher than", "above", "exceeding")), ("<", "below")))
        text, sql = f"{name} {more} the average {name}", f"{column.name} {operator} {average}"
        text += draft.pick("", f" of all {draft.rows}")
    elif shape < 0.75:
        low, high = draft.rng.choice(((average, most), (least, average), (least, most)))
        called = {least: "minimum", average: "average", most: "maximum"}
        joint = draft.pick("and less than", "but less than")
        text = f"{name} greater than the {called[low]} {joint} the {called[high]} {name}"
        sql = f"{column.name} > {low} AND {column.name} < {high}"
    else:
        key = draft.keys(1)[0]
        function, words = draft.rng.choice((("MAX", "maximum"), ("SUM", "total"), ("AVG", "average")))
        text = f"{name} greater than the average of the {words} {name} per {draft.name(key)}"
        sql = f"{column.name} > (SELECT AVG(v) FROM (SELECT {function}({column.name}) AS v FROM {table} GROUP BY {key.name}))"
    goal = draft.pick(
        f"Which {draft.who()} have {singular(text)}? Return the {spoken_list(shown)}.",
        f"What are the {_plurals(draft, [_column(draft, clause) for clause in shown])} of {draft.rows} with {singular(text)}? "
        f"Return the {spoken_list(shown)}.",
    )
    return _ended(draft, goal, f"SELECT {listed(shown)} FROM {table} WHERE {sql}", named(draft, draft.schema.columns))


def member(draft: ExerciseDraft) -> Request:
    """Rows whose key is among the groups that satisfy a bound."""
    where, text = _membership(draft)
    shown = named(draft, draft.columns(1, 3))
    return f"Which {draft.rows} {text}? Return the {spoken_list(shown)}.", f"SELECT {listed(shown)} FROM {draft.table.name} WHERE {where}"


def insert(draft: ExerciseDraft) -> Request:
    """A new row."""
    columns = list(draft.schema.columns)
    if draft.chance(0.35):
        columns = columns[: draft.rng.randint(2, len(columns))]
    values = [_new_value(draft, column) for column in columns]
    style = draft.pick("{} {}", "{} {}", "{} of {}", "{} set to {}")
    pairs = [
        (draft.pick("ID", draft.name(column)) if not place and column.kind == "id" else draft.name(column)) + style[2:].format(said)
        for place, (column, said) in enumerate(zip(columns, [draft.spoken(value) for value in values], strict=True))
    ]
    noun, place = draft.schema.noun, draft.pick("", f" into the {draft.table.name} table", " into the table")
    goal = draft.pick(f"Insert a new {noun} with {joined(pairs)}{place}.", f"Insert a new {noun} record with {joined(pairs)}{place}.")
    names = ", ".join(column.name for column in columns)
    return goal, f"INSERT INTO {draft.table.name} ({names}) VALUES ({', '.join(map(literal, values))})"


def update(draft: ExerciseDraft) -> Request:
    """Columns set, raised or lowered where a condition holds."""
    where, column = draft.filtered(), draft.rng.choice(draft.schema.columns[1:])
    for_rows = f"{draft.pick('for', 'for all')} {draft.rows} "
    if column.measure and draft.chance(0.6):
        return _scaled(draft, column, for_rows + where.text, where.sql)
    changed = [column]
    if draft.chance(0.25):
        changed.append(draft.rng.choice([other for other in draft.schema.columns[1:] if other != column]))
    values = [_new_value(draft, one) for one in changed]
    pairs = [f"the {draft.name(one)} to {draft.spoken(value)}" for one, value in zip(changed, values, strict=True)]
    settings = ", ".join(f"{one.name} = {literal(value)}" for one, value in zip(changed, values, strict=True))
    goal = f"Update {joined(pairs)} {draft.pick(for_rows, '')}{where.text}."
    return goal, f"UPDATE {draft.table.name} SET {settings}{where.sql}"


def update_nested(draft: ExerciseDraft) -> Request:
    """Rows changed that are over or under a figure of the whole table, or belong to certain groups."""
    where, text = _membership(draft) if draft.chance(0.4) else _against_average(draft)
    column = draft.rng.choice(draft.schema.columns[1:])
    if column.measure:
        return _scaled(draft, column, f"for {draft.rows} that {text}", f" WHERE {where}")
    value = _new_value(draft, column)
    goal = f"Update the {draft.name(column)} to {draft.spoken(value)} for {draft.rows} that {text}."
    return goal, f"UPDATE {draft.table.name} SET {column.name} = {literal(value)} WHERE {where}"


def delete(draft: ExerciseDraft) -> Request:
    """Rows gone where a condition holds."""
    where = draft.filtered(compound=0.5)
    goal = draft.pick(
        f"Delete all {draft.rows} {where.text}.",
        f"Delete {draft.rows} {where.text}.",
        f"Delete the {draft.rows} {where.text} from the {draft.table.name} table.",
    )
    return goal, f"DELETE FROM {draft.table.name}{where.sql}"


def delete_nested(draft: ExerciseDraft) -> Request:
    """Rows gone that are over or under a figure of the whole table, or belong to certain groups."""
    where, text = _membership(draft) if draft.chance(0.5) else _against_average(draft)
    return f"Delete all {draft.rows} that {text}.", f"DELETE FROM {draft.table.name} WHERE {where}"


TEMPLATES: dict[str, tuple[Callable[[ExerciseDraft], Request], int]] = {
    "select": (select, 10),
    "order": (order, 9),
    "limit": (limit, 7),
    "distinct": (distinct, 2),
    "aggregate": (aggregate, 4),
    "group": (group, 12),
    "having": (having, 18),
    "range": (value_range, 7),
    "having_average": (having_average, 5),
    "nested": (nested, 8),
    "member": (member, 3),
    "insert": (insert, 6),
    "update": (update, 6),
    "update_nested": (update_nested, 3),
    "delete": (delete, 5),
    "delete_nested": (delete_nested, 3),
}
"""Kinds of exercises with their usual shares, which were set by hand in sight of the requests of lab-db's tasks 0 to 149."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DRAWS = 20
"""Draws tried for one exercise before its table is given up."""


def draw_exercise(table: Table, template: str, rng: random.Random) -> Request | None:
    """An exercise of one kind over a table; None where no draw runs and does something (it returns rows, or changes the table)."""
    names = [table.name, *(name for name, _ in table.columns)]
    if len(table.rows) < 2 or len(table.columns) < 3 or not all(_NAME.fullmatch(name) for name in names):
        return None
    make = TEMPLATES[template][0]
    with closing(load([table])) as connection:
        for _ in range(_DRAWS):
            try:
                goal, statement = make(ExerciseDraft(rng, table, connection))
                result = execute([table], statement)
            except (IndexError, ValueError, sqlite3.Error, StatementRefused):
                continue  # a column of a kind that the template needs is missing, a name is a keyword, or a limit was reached
            if (result.wrote and result.state[table.name] != table.rows) or any(any(v is not None for v in row) for row in result.rows):
                return goal, statement
    return None


def _rows(draft: ExerciseDraft, where: Clause, sort: Clause, *, limited: bool = False) -> Request:
    columns = draft.columns(1, 4)
    shown, names = named(draft, columns), _plurals(draft, columns)
    of = (
        draft.pick(f" of {draft.rows}", f" for {draft.rows}", f" for all {draft.rows}")
        if not where.text
        else f" of {draft.rows} {where.text}"
    )
    cut = draft.limited() if limited else NOTHING
    tails = [clause.text for clause in (sort, cut) if clause.text]
    shape = draft.rng.random()
    if tails and shape < 0.4:
        goal = f"What are the {names}{of}? Return the results {_tail(draft, tails)}."
    elif shape < 0.85:
        goal = f"What are the {names}{of}? Return the {spoken_list(shown)}{_comma(draft, tails)}."
    else:
        question = f"Which {draft.who()}{' have entries ' + where.text if where.text else ' are there'}?"
        goal = f"{question} Return the {spoken_list(shown)}{_comma(draft, tails)}."
    return goal, f"SELECT {listed(shown)} FROM {draft.table.name}{where.sql}{sort.sql}{cut.sql}"


def _groups(draft: ExerciseDraft, *, bounds: int, ranges: float) -> Request:
    keys = draft.keys()
    figures = [draft.figure(ranges=ranges)]
    if draft.chance(0.4) and (other := draft.figure(ranges=0)).sql != figures[0].sql:
        figures.append(other)
    bounded = list(figures) if draft.chance(0.7) else [draft.figure(ranges=ranges), *figures]
    have = draft.chance(0.4)
    held = [draft.bound(figure, keys, have=have) for figure in bounded[:bounds]]
    where = draft.filtered(compound=0.3) if draft.chance(0.3) else NOTHING
    names, table = named(draft, keys), draft.table.name
    groups = ", ".join(key.name for key in keys)
    said, plurals = joined([figure.text for figure in figures]), joined([draft.short_plural(key) for key in keys])
    filtered = f" of {draft.rows} {where.text}" if where.text else ""
    condition = " and ".join(clause.text for clause in held)
    # A bound may also stand at the end: "Return ..., only including those where ...".
    later = bool(held) and not have and draft.chance(0.2)
    if later:
        goal = f"What are the {plurals} and their {said}{filtered}?"
    elif held and have:
        goal = f"Which {plurals} have {condition}{filtered.replace(' of ', ' among ', 1)}?"
    elif held:
        lead = " and " if filtered else draft.pick(" where ", " where ", " for groups where ")
        goal = f"What are the {plurals} and their {said}{filtered}{lead}{condition}?"
    else:
        goal = draft.pick(
            f"What are the {plurals} and their {said}{filtered}?",
            f"What is the {said} for each {spoken_list(names)}{filtered}?"
            if len(figures) == 1
            else f"What are the {plurals}, {said}{filtered}?",
            f"What is the {said}{filtered}, grouped by {spoken_list(names)}?",
        )
    returned = [*names, *(Clause(text=figure.text.partition(" (")[0], sql=figure.sql) for figure in figures)]
    goal += draft.pick(" Return the ", " Return the ", " Return each ") + spoken_list(returned)
    goal += draft.pick(f", grouped by {spoken_list(names)}", "", "")
    goal += (draft.pick(", only including those where ", ". Only include groups where ") + condition if later else "") + "."
    having_sql = f" HAVING {' AND '.join(clause.sql for clause in held)}" if held else ""
    statement = f"SELECT {listed(returned)} FROM {table}{where.sql} GROUP BY {groups}{having_sql}"
    return _ended(draft, goal, statement, returned)


def _ended(draft: ExerciseDraft, goal: str, statement: str, keys: Sequence[Clause]) -> Request:
    """A request with, sometimes, an order and a limit at its end."""
    sort = draft.sorted_by(keys) if draft.chance(0.45) else NOTHING
    cut = draft.limited() if draft.chance(0.3) else NOTHING
    tails = [clause.text for clause in (sort, cut) if clause.text]
    if not tails:
        return goal, statement
    if draft.chance(0.5):
        said = f"{goal[:-1]}{_comma(draft, tails)}."
    else:
        # "Ordered by" becomes a sentence of its own.
        first = tails[0].replace("ordered ", "Order the results ", 1) if sort.text else tails[0]
        said = f"{goal} {first[0].upper()}{first[1:]}{_comma(draft, tails[1:])}."
    return said, statement + sort.sql + cut.sql


def _comma(draft: ExerciseDraft, tails: Sequence[str]) -> str:
    return f", {_tail(draft, tails)}" if tails else ""


def _tail(draft: ExerciseDraft, tails: Sequence[str]) -> str:
    return draft.pick(", ", ", and ").join(tails)


def _plurals(draft: ExerciseDraft, columns: Sequence[Column]) -> str:
    return joined([draft.name_plural(column) for column in columns])


def _each(draft: ExerciseDraft, keys: Sequence[Column]) -> str:
    return " and ".join(plural(draft.name(key)) for key in keys)


def _column(draft: ExerciseDraft, clause: Clause) -> Column:
    return next(column for column in draft.schema.columns if column.name == clause.sql)


def _membership(draft: ExerciseDraft) -> tuple[str, str]:
    """A condition that a row's key is among certain groups, and how it is said of rows in the plural."""
    key, figure = draft.keys(1)[0], draft.figure(ranges=0.1)
    held = draft.bound(figure, [key], have=True)
    where = f"{key.name} IN (SELECT {key.name} FROM {draft.table.name} GROUP BY {key.name} HAVING {held.sql})"
    return where, f"belong to {draft.name_plural(key)} with {held.text}"


def _against_average(draft: ExerciseDraft) -> tuple[str, str]:
    column = draft.measure()
    operator, more = draft.rng.choice(((">", draft.pick("greater than", "above")), ("<", draft.pick("below", "less than"))))
    average = f"(SELECT AVG({column.name}) FROM {draft.table.name})"
    return f"{column.name} {operator} {average}", f"have {singular(draft.name(column))} {more} the average {draft.name(column)}"


def _scaled(draft: ExerciseDraft, column: Column, rows: str, where: str) -> Request:
    """A number raised or lowered by a share or an amount."""
    name, table = draft.name(column), draft.table.name
    up = draft.chance(0.75)
    if draft.chance(0.6):
        share = draft.rng.choice((5, 10, 10, 15, 20, 25))
        factor = f"{1 + share / 100 if up else 1 - share / 100:.2f}".rstrip("0")
        goal = draft.pick(
            f"{'Increase' if up else 'Decrease'} the {name} by {share}% {rows}.",
            f"Update the {name} by {'increasing' if up else 'decreasing'} it by {share}% {rows}.",
        )
        return goal, f"UPDATE {table} SET {column.name} = {column.name} * {factor}{where}"
    amount = draft.rng.choice((1, 2, 5, 10, 50, 100))
    goal = draft.pick(
        f"{'Increase' if up else 'Reduce'} the {name} by {amount} {rows}.",
        f"Update the {name} by {'adding' if up else 'subtracting'} {amount} {rows}.",
    )
    return goal, f"UPDATE {table} SET {column.name} = {column.name} {'+' if up else '-'} {amount}{where}"


def _new_value(draft: ExerciseDraft, column: Column) -> Value:
    """A value as the column's own are: a fresh key, another number, a value of some row."""
    values = [value for value in draft.values(column) if value is not None]
    value = draft.rng.choice(values)
    if column.kind == "id" and isinstance(value, int):
        return int(max(float(str(one)) for one in values)) + draft.rng.choice((1, 1, 2, 5, 37, 100))
    if column.kind == "int" and isinstance(value, int):
        return draft.rng.choice((value, value + draft.rng.randint(1, 9), 10 * (value // 10 + 1)))
    return value
