"""Requests over generated tables, one function a SQL skill."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from .phrases import AGGREGATES, Clause, RequestDraft, joined, literal, singular
from .schemas import SCHEMAS, Column, Schema
from .sqlite import SqlProblem, Value, execute, load

Request = tuple[str, str]
"""The goal in English and the gold statement without its semicolon."""


def insert(draft: RequestDraft) -> Request:
    """A new row, with all columns or some."""
    columns = list(draft.schema.columns)
    if draft.chance(0.3):
        columns = [columns[0], *sorted(draft.rng.sample(columns[1:], min(3, len(columns) - 1)), key=columns.index)]
    values = [_new_value(draft, column) for column in columns]
    pairs = joined([f"{draft.name(column)} {draft.spoken(value)}" for column, value in zip(columns, values, strict=True)])
    noun = draft.schema.noun
    goal = draft.pick(
        f"Insert a new {noun} with {pairs}.",
        f"Add a {noun} with {pairs} to the {draft.table.name} table.",
        f"Record a new {noun}: {pairs}.",
        f"Please create a {noun} entry with {pairs}.",
    )
    names = ", ".join(column.name for column in columns)
    return goal, f"INSERT INTO {draft.table.name} ({names}) VALUES ({', '.join(map(literal, values))})"


def update(draft: RequestDraft) -> Request:
    """A column set to a value, or raised or lowered, where a condition holds."""
    where = draft.where()
    if draft.chance(0.3):
        column = draft.any_of(measure=True)
        amount = draft.rng.choice((1, 2, 3, 5, 10, 20, 50))
        up = draft.chance(0.6)
        verb = draft.pick("Increase", "Raise") if up else draft.pick("Decrease", "Reduce")
        goal = f"{verb} the {draft.name(column)} by {amount} for {draft.pick('all ', '')}{draft.rows} where {where.text}."
        return goal, f"UPDATE {draft.table.name} SET {column.name} = {column.name} {'+' if up else '-'} {amount} WHERE {where.sql}"
    changed = sorted(draft.rng.sample(draft.schema.columns[1:], 1 + draft.chance(0.2)), key=draft.schema.columns.index)
    values = [_new_value(draft, column) for column in changed]
    pairs = joined([f"the {draft.name(column)} to {draft.spoken(value)}" for column, value in zip(changed, values, strict=True)])
    verb = draft.pick("Set", "Update", "Change")
    goal = draft.pick(f"{verb} {pairs} for {draft.rows} where {where.text}.", f"{verb} {pairs} where {where.text}.")
    settings = ", ".join(f"{column.name} = {literal(value)}" for column, value in zip(changed, values, strict=True))
    return goal, f"UPDATE {draft.table.name} SET {settings} WHERE {where.sql}"


def delete(draft: RequestDraft) -> Request:
    """Rows gone where a condition holds."""
    where = draft.where()
    verb = draft.pick("Delete", "Remove", "Delete all", "Remove all")
    return draft.pick(
        f"{verb} {draft.rows} where {where.text}.", f"{verb} {draft.rows} from the {draft.table.name} table where {where.text}."
    ), (f"DELETE FROM {draft.table.name} WHERE {where.sql}")


def filter_one(draft: RequestDraft) -> Request:
    """Rows under one condition."""
    return _filtered(draft, draft.where(compound=False))


def filter_many(draft: RequestDraft) -> Request:
    """Rows under several conditions."""
    return _filtered(draft, draft.where(compound=True))


def order(draft: RequestDraft) -> Request:
    """Rows in an order by one key or two, sometimes filtered."""
    goal, statement = _filtered(draft, draft.where(compound=False, least=4)) if draft.chance(0.4) else _all_rows(draft)
    clause = draft.order(keys=_order_keys(draft))
    return f"{goal[:-1]}, {clause.text}.", statement + clause.sql


def limit(draft: RequestDraft) -> Request:
    """The first rows in an order, sometimes after an offset."""
    goal, statement = order(draft)
    clause = draft.limit(int(draft.numbers(f"SELECT COUNT(*) FROM ({statement})")[0]))
    return draft.pick(f"{goal[:-1]}, and {clause.text}.", f"{goal} {clause.text[0].upper()}{clause.text[1:]}."), statement + clause.sql


def distinct(draft: RequestDraft) -> Request:
    """The different values of a column."""
    column = draft.any_of(grouping=True)
    names = draft.name_plural(column)
    goal = draft.pick(f"What distinct {names} appear among the {draft.rows}", f"List the different {names} of the {draft.rows}")
    statement = f"SELECT DISTINCT {column.name} FROM {draft.table.name}"
    if draft.chance(0.5):
        where = draft.where(compound=False, least=3)
        goal, statement = f"{goal} where {where.text}", f"{statement} WHERE {where.sql}"
    return goal + ("?" if goal.startswith("What") else "."), statement


def aggregate(draft: RequestDraft) -> Request:
    """One row of totals, averages, extremes or counts."""
    counted = draft.chance(0.3)
    where = draft.where(least=2) if counted or draft.chance(0.6) else None
    text, condition = (f" where {where.text}", f" WHERE {where.sql}") if where else ("", "")
    if counted:
        goal = draft.pick(f"How many {draft.rows} are there{text}?", f"Count the {draft.rows}{text}.")
        return goal, f"SELECT COUNT(*) AS total FROM {draft.table.name}{condition}"
    column = draft.any_of(measure=True)
    chosen = [_aggregate(draft, column, function) for function in draft.rng.sample(sorted(AGGREGATES), 1 + draft.chance(0.25))]
    words = joined([clause.text for clause in chosen])
    goal = draft.pick(
        f"What {'is' if len(chosen) == 1 else 'are'} the {words} of {draft.rows}{text}?", f"Return the {words} over all {draft.rows}{text}."
    )
    return goal, f"SELECT {', '.join(clause.sql for clause in chosen)} FROM {draft.table.name}{condition}"


def group(draft: RequestDraft) -> Request:
    """A figure for each group, sometimes filtered, ordered or limited."""
    column = draft.any_of(grouping=True)
    figure = _figure(draft)
    where = draft.where(compound=False, least=4) if draft.chance(0.3) else None
    text, condition = (f" where {where.text}", f" WHERE {where.sql}") if where else ("", "")
    name = draft.name(column)
    goal = draft.pick(
        f"What is the {figure.text} for each {name}{text}? Return the {name} and the {figure.text}.",
        f"What are the {draft.name_plural(column)} and their {figure.text}{text}? Return each {name} and its {figure.text}.",
        f"Show the {figure.text}{text}, grouped by {name}. Return the {name} and the {figure.text}.",
    )
    statement = f"SELECT {column.name}, {figure.sql} FROM {draft.table.name}{condition} GROUP BY {column.name}"
    if draft.chance(0.5):
        clause = _by_figure(draft, column, figure)
        goal, statement = f"{goal[:-1]}, {clause.text}.", statement + clause.sql
    return goal, statement


def having(draft: RequestDraft) -> Request:
    """Groups whose figure is over or under a bound."""
    column = draft.any_of(grouping=True)
    figure = _figure(draft)
    formula = figure.sql.split(" AS ")[0]
    values = draft.numbers(f"SELECT {formula} FROM {draft.table.name} GROUP BY {column.name}")
    bound = round(draft.rng.choice(values))
    operator, words = draft.rng.choice(((">", "greater than"), (">", "above"), (">=", "of at least"), ("<", "below"), ("<=", "of at most")))
    name = draft.name(column)
    goal = draft.pick(
        f"Which {draft.name_plural(column)} have {singular(figure.text)} {words} {bound}? Return the {name} and the {figure.text}.",
        f"List each {name} with {singular(figure.text)} {words} {bound}, together with the {figure.text}.",
    )
    statement = f"SELECT {column.name}, {figure.sql} FROM {draft.table.name} GROUP BY {column.name} HAVING {formula} {operator} {bound}"
    if draft.chance(0.35):
        clause = _by_figure(draft, column, figure)
        goal, statement = f"{goal[:-1]}, {clause.text}.", statement + clause.sql
    return goal, statement


def nested(draft: RequestDraft) -> Request:
    """Rows compared with a figure over the whole table."""
    column = draft.any_of(measure=True)
    shown = draft.columns(1, 3)
    function, operator, words = draft.rng.choice(
        (
            ("AVG", ">", "is greater than the average"),
            ("AVG", ">", "is above the average"),
            ("AVG", "<", "is below the average"),
            ("MAX", "=", "equals the highest"),
            ("MIN", "=", "equals the lowest"),
        )
    )
    name = draft.name(column)
    goal = draft.pick(
        f"Which {draft.rows} have {singular(name)} that {words} {name}? Return the {draft.names(shown)}.",
        f"List the {draft.names(shown)} of {draft.rows} whose {name} {words} {name} of all {draft.rows}.",
    )
    inner = f"SELECT {function}({column.name}) FROM {draft.table.name}"
    return goal, f"SELECT {_listed(shown)} FROM {draft.table.name} WHERE {column.name} {operator} ({inner})"


def join(draft: RequestDraft, parent: RequestDraft) -> Request:
    """Rows of two tables put together by the key that one has of the other."""
    key = parent.schema.columns[0]
    mine = draft.rng.sample([c for c in draft.schema.columns[1:] if c.kind != "ref"], draft.rng.randint(1, 2))
    theirs = draft.rng.sample(parent.schema.columns[1:], 1)
    owner = parent.schema.noun
    tables = f"{draft.table.name} JOIN {parent.table.name} USING ({key.name})"
    where = parent.where(compound=False)
    text = f"the {owner}'s {where.text.removeprefix('the ')}"
    if draft.chance(0.4) or draft.numbers(f"SELECT COUNT(*) FROM {tables} WHERE {where.sql}") == [len(draft.table.rows)]:
        where = draft.where(compound=False)
        text = where.text
    goal = draft.pick(
        f"List the {draft.names(mine)} of {draft.rows} and the {owner}'s {parent.names(theirs)} where {text}.",
        f"For {draft.rows} where {text}, return the {draft.names(mine)} and the {owner}'s {parent.names(theirs)}.",
    )
    return goal, f"SELECT {_listed([*mine, *theirs])} FROM {tables} WHERE {where.sql}"


SKILLS: dict[Callable[[RequestDraft], Request], int] = {
    insert: 9,
    update: 10,
    delete: 8,
    filter_one: 10,
    filter_many: 10,
    order: 9,
    limit: 8,
    distinct: 4,
    aggregate: 9,
    group: 9,
    having: 5,
    nested: 4,
}
"""Skills over one table, with their weights; `JOIN_SHARE` of the tasks are joins on top."""
JOIN_SHARE = 0.05


def make_problem(rng: random.Random) -> SqlProblem | None:
    """A request with its tables and gold statement; None when the draw does not determine its answer."""
    if rng.random() < JOIN_SHARE:
        problem = _draw_join(rng)
    else:
        schema = SCHEMAS[rng.choice(sorted(SCHEMAS))]
        table = schema.fill(rng)
        skill = rng.choices(list(SKILLS), weights=list(SKILLS.values()))[0]
        with closing(load([table])) as connection:
            goal, gold = skill(RequestDraft(rng, schema, table, connection))
        problem = SqlProblem(tables=(table,), goal=goal, gold=gold + ";", ordered=" ORDER BY " in gold)
    return problem if _determined(problem) else None


def _draw_join(rng: random.Random) -> SqlProblem:
    child = rng.choice([schema for schema in SCHEMAS.values() if schema.parent])
    # The key of staff is called employee_id: parents are found by the table that the reference names.
    parent: Schema = SCHEMAS[child.parent.options[0]] if child.parent else child
    owners = parent.fill(rng)
    table = child.fill(rng, tuple(int(str(row[0])) for row in owners.rows))
    with closing(load([table, owners])) as connection:
        goal, gold = join(RequestDraft(rng, child, table, connection), RequestDraft(rng, parent, owners, connection))
    return SqlProblem(tables=(table, owners), goal=goal, gold=gold + ";")


def _determined(problem: SqlProblem) -> bool:
    """Whether the answer is neither empty nor at the mercy of how rows happen to be stored."""
    result = execute(problem.tables, problem.gold)
    if result.wrote:
        return any(set(result.state[table.name]) != set(table.rows) for table in problem.tables)
    if not result.rows or result.rows == ((None,),):
        return False
    turned = [replace(table, rows=table.rows[::-1]) for table in problem.tables]
    other = execute(turned, problem.gold).rows
    return other == result.rows if problem.ordered else sorted(map(repr, other)) == sorted(map(repr, result.rows))


def _filtered(draft: RequestDraft, where: Clause) -> Request:
    if draft.chance(0.12):
        return draft.pick(
            f"Show all details of {draft.rows} where {where.text}.", f"Return every column of {draft.rows} where {where.text}."
        ), f"SELECT * FROM {draft.table.name} WHERE {where.sql}"
    columns = draft.columns(1, 3)
    names = draft.names(columns)
    goal = draft.pick(
        f"List the {names} of {draft.rows} where {where.text}.",
        f"Which {draft.rows} match the condition that {where.text}? Return the {names}.",
        f"Find all {draft.rows} where {where.text}. Return the {names}.",
        f"What are the {joined([draft.name_plural(column) for column in columns])} of {draft.rows} where {where.text}?",
        f"Show me the {names} for {draft.rows} where {where.text}.",
    )
    return goal, f"SELECT {_listed(columns)} FROM {draft.table.name} WHERE {where.sql}"


def _all_rows(draft: RequestDraft) -> Request:
    columns = draft.columns(1, 4)
    names = draft.names(columns)
    goal = draft.pick(
        f"List the {names} of all {draft.rows}.", f"Return the {names} for every {draft.schema.noun}.", f"Show the {names} of {draft.rows}."
    )
    return goal, f"SELECT {_listed(columns)} FROM {draft.table.name}"


def _order_keys(draft: RequestDraft) -> list[Column]:
    last = draft.rng.choice([column for column in draft.schema.columns if column.kind in ("id", "int", "real", "date", "person")])
    if draft.chance(0.35):
        return [draft.any_of(grouping=True), last]
    return [last]


def _listed(columns: list[Column]) -> str:
    return ", ".join(column.name for column in columns)


def _aggregate(draft: RequestDraft, column: Column, function: str) -> Clause:
    word, prefix = AGGREGATES[function]
    return Clause(text=f"{word} {draft.name(column)}", sql=f"{function}({column.name}) AS {prefix}_{column.name}")


def _figure(draft: RequestDraft) -> Clause:
    if draft.chance(0.35):
        return Clause(text=f"number of {draft.rows}", sql="COUNT(*) AS total")
    return _aggregate(draft, draft.any_of(measure=True), draft.rng.choice(sorted(AGGREGATES)))


def _by_figure(draft: RequestDraft, column: Column, figure: Clause) -> Clause:
    alias = figure.sql.split(" AS ")[1]
    measure = Column(name=alias, kind="int")
    if draft.chance(0.5):
        return draft.order(keys=[column], text=[draft.name(column)])
    return draft.order(keys=[measure], sql=[alias], text=[figure.text])


def _new_value(draft: RequestDraft, column: Column) -> Value:
    """A value for a new or changed row: a fresh key, or one drawn as the table's own are."""
    if column.kind == "id":
        return max(int(str(value)) for value in draft.values(column)) + draft.rng.randint(1, 30)
    fresh = draft.schema.fill(draft.rng)
    return draft.rng.choice([row[draft.schema.columns.index(column)] for row in fresh.rows])
