"""SQL on fresh tables in memory, with SQLite's own parser, authorizer and limits; answers run in a worker process.

The authorizer allows what is listed and nothing else. The limits count SQLite's own instructions, bytes and pages, so that the same
statement gives the same answer on every machine; seconds and memory are bounded by the worker on top, for what those do not reach.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .._answers import MAX_ANSWER, reported, sql_candidates
from .._reply import ActionResult
from .._workers import WorkerPool, WorkerStopped
from .functions import CLOCK_READ, FUNCTIONS, hide_clock

Value = int | float | str | bytes | None
SQLRow = tuple[Value, ...]

MAX_INSTRUCTIONS = 500_000
"""Virtual-machine instructions of one statement; a join of two 50-row tables needs about 20 000."""
MAX_BYTES = 4_000
"""Bytes of one value, one row or one statement."""
MAX_PAGES = 1_000
"""Pages of 4 KiB that the tables may grow to."""
MAX_ROWS = 1_000
"""Rows that an answer may have."""
_SHOWN_ROWS = 5
_ORDER_TOKEN = re.compile(r"'[^']*+'|\"[^\"]*+\"|`[^`]*+`|[()]|\w++")
_TICK = 1_000

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_WRITING = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}


_UNREADABLE = ("syntax error", "incomplete input", "unrecognized token", "one statement at a time", "no SQL statement", "not authorized")
"""Parts of SQLite's messages for a text that its parser or the authorizer does not take for a statement."""

workers = WorkerPool(f"{__package__}.sql_worker")
"""Where answers run."""


class StatementRefused(Exception):
    """A statement that SQLite would not run, with the reason as the agent reads it."""

    @property
    def unreadable(self) -> bool:
        """Whether the text is no statement at all, as far as SQLite's parser goes."""
        return any(part in str(self) for part in _UNREADABLE)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its rows."""

    name: str
    """Identifier."""
    columns: tuple[tuple[str, str], ...]
    """Name and SQL type (INT, TEXT, REAL) of each column."""
    rows: tuple[SQLRow, ...]
    """Rows in the order of insertion."""

    @property
    def schema(self) -> str:
        """One line as an agent is shown it, such as `Table cities(name TEXT, population INT)`."""
        return f"Table {self.name}({', '.join(f'{name} {kind}' for name, kind in self.columns)})"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a statement did."""

    rows: tuple[SQLRow, ...]
    """Rows that it returned."""
    wrote: bool
    """Whether it was an INSERT, UPDATE or DELETE."""
    state: Mapping[str, tuple[SQLRow, ...]]
    """Every table afterwards."""


@dataclass(frozen=True, kw_only=True)
class SqlProblem:
    """A request over tables, and the statement that answers it."""

    tables: tuple[Table, ...]
    """What the statement runs on."""
    goal: str
    """The request in English."""
    gold: str
    """A statement that answers it."""
    ordered: bool = False
    """Whether the request asks for an order, so that rows are compared in sequence."""

    @property
    def context(self) -> str:
        """The schemas, one line each."""
        return "\n".join(table.schema for table in self.tables)


def load(tables: Sequence[Table]) -> sqlite3.Connection:
    """A fresh in-memory database with `tables`, not yet guarded; the caller closes it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for table in tables:
        columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in table.columns)
        connection.execute(f"CREATE TABLE {_quoted(table.name)} ({columns})")
        marks = ", ".join("?" for _ in table.columns)
        connection.executemany(f"INSERT INTO {_quoted(table.name)} VALUES ({marks})", table.rows)
    return connection


def execute(tables: Sequence[Table], statement: str) -> Result:
    """Run one statement on fresh copies of `tables`, in this process: for statements of our own, and inside of workers.

    Raises `StatementRefused` when it is no statement, is forbidden, fails, or goes over a limit.
    """
    with closing(load(tables)) as connection, closing(sqlite3.connect(":memory:")) as plain:
        written: list[int] = []
        ticks: list[int] = []
        _guard(connection, written, ticks)
        hide_clock(connection, plain)
        try:
            cursor = connection.execute(statement)
            rows = tuple(cursor.fetchmany(MAX_ROWS + 1))
        except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError) as problem:
            raise StatementRefused(_reason(problem, ticks)) from None
        if len(rows) > MAX_ROWS:
            raise StatementRefused(f"more than {MAX_ROWS} rows")
        if cursor.description is None and not written:
            raise StatementRefused("no SQL statement found")
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
        state = {table.name: tuple(connection.execute(f"SELECT * FROM {_quoted(table.name)}").fetchall()) for table in tables}
    return Result(rows=rows, wrote=bool(written), state=state)


def answer(tables: Sequence[Table], text: str) -> Result:
    """Run the statement in what a model wrote: the first that SQLite's parser accepts. It runs in a worker process.

    Raises `StatementRefused` when no statement is found, or the one found is forbidden, fails, or goes over a limit.
    """
    if len(text) > MAX_ANSWER:
        raise StatementRefused(f"the answer has {len(text)} characters; the limit is {MAX_ANSWER}")
    candidates = sql_candidates(text)
    request = {
        "tables": [{"name": table.name, "columns": table.columns, "rows": rows_to_json(table.rows)} for table in tables],
        "candidates": candidates,
        "reported": candidates.index(reported(candidates)),
    }
    try:
        reply = workers.ask(request)
    except WorkerStopped:
        raise StatementRefused("stopped, the statement takes too much time or memory") from None
    if "error" in reply:
        raise StatementRefused(reply["error"])
    state = {name: rows_from_json(rows) for name, rows in reply["state"].items()}
    return Result(rows=rows_from_json(reply["rows"]), wrote=reply["wrote"], state=state)


def rows_to_json(rows: Sequence[SQLRow]) -> list[list[Any]]:
    """Rows as plain JSON; bytes become `{"hex": ...}`."""
    return [list(map(_to_json, row)) for row in rows]


def rows_from_json(rows: Sequence[Sequence[Any]]) -> tuple[SQLRow, ...]:
    """The inverse of `rows_to_json`."""
    return tuple(tuple(bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for value in row) for row in rows)


def asks_for_order(statement: str) -> bool:
    """Whether a statement orders its rows: an ORDER BY outside of strings and parentheses.

    >>> asks_for_order("SELECT a FROM t ORDER BY a"), asks_for_order("SELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 3)")
    (True, False)
    """
    depth, outside = 0, list[str]()
    for part in _ORDER_TOKEN.findall(statement):
        depth += (part == "(") - (part == ")")
        if depth == 0:
            outside.append(part.upper())
    return any(one == "ORDER" and other == "BY" for one, other in pairwise(outside))


def same_rows(left: Sequence[SQLRow], right: Sequence[SQLRow], *, ordered: bool = False, tolerance: float = 1e-6) -> bool:
    """Whether two results are the same: as multisets, or in sequence if `ordered`; numbers within `tolerance`."""
    if len(left) != len(right):
        return False
    if ordered:
        return all(_same_row(one, other, tolerance) for one, other in zip(left, right, strict=True))
    if Counter(left) == Counter(right):
        return True
    rest = list(right)
    for row in left:
        found = next((index for index, other in enumerate(rest) if _same_row(row, other, tolerance)), None)
        if found is None:
            return False
        del rest[found]
    return True


def same_result(answer: Result, gold: Result, *, ordered: bool = False) -> bool:
    """Whether `answer` did what `gold` did: the same tables afterwards and, for a query, the same rows."""
    if answer.wrote != gold.wrote or any(not same_rows(answer.state[name], rows) for name, rows in gold.state.items()):
        return False
    return gold.wrote or same_rows(answer.rows, gold.rows, ordered=ordered)


def judge(problem: SqlProblem, action: str) -> ActionResult:
    """Run what a model wrote and compare it with the gold statement; an error leaves the episode open."""
    try:
        result = answer(problem.tables, action)
    except StatementRefused as refusal:
        return ActionResult(text=f"Error: {refusal}", error=True)
    right = same_result(result, execute(problem.tables, problem.gold), ordered=problem.ordered)
    return ActionResult(text=shown(result), reward=float(right), done=True, success=right)


def shown(result: Result) -> str:
    """A short observation of what a statement did."""
    if result.wrote:
        return "Done."
    lines = [", ".join("NULL" if value is None else str(value)[:80] for value in row) for row in result.rows[:_SHOWN_ROWS]]
    more = len(result.rows) - len(lines)
    return "\n".join([*lines, *([f"({more} more rows)"] if more else [])]) or "(no rows)"


def _guard(connection: sqlite3.Connection, written: list[int], ticks: list[int]) -> None:
    connection.execute(f"PRAGMA max_page_count = {MAX_PAGES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, MAX_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100)
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100)

    def allow(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
        if action in _WRITING and not (first or "").startswith("sqlite_"):
            written.append(action)
            return sqlite3.SQLITE_OK
        if action in _READING and (action != sqlite3.SQLITE_FUNCTION or (second or "").lower() in FUNCTIONS):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def tick() -> int:
        ticks.append(_TICK)
        return int(len(ticks) * _TICK > MAX_INSTRUCTIONS)

    connection.set_authorizer(allow)
    connection.set_progress_handler(tick, _TICK)


def _reason(problem: Exception, ticks: list[int]) -> str:
    if len(ticks) * _TICK > MAX_INSTRUCTIONS:
        return f"stopped after {MAX_INSTRUCTIONS} instructions"
    if str(problem) == "user-defined function raised exception":
        return CLOCK_READ
    return str(problem)[:200] or "the statement cannot be read, or needs too much memory"


def _to_json(value: Value) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _same_row(one: SQLRow, other: SQLRow, tolerance: float) -> bool:
    return len(one) == len(other) and all(_same_value(a, b, tolerance) for a, b in zip(one, other, strict=True))


def _same_value(one: Value, other: Value, tolerance: float) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return one == other
