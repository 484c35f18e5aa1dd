"""Functions a statement may call, and dates without a clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from lifelong.envs.database.functions import CLOCK_READ, FUNCTIONS, hide_clock


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    one, own = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    hide_clock(one, own)
    yield one
    one.close()
    own.close()


@pytest.mark.parametrize(
    "name", ["load_extension", "random", "randomblob", "printf", "format", "changes", "last_insert_rowid", "sqlite_version"]
)
def test_what_reads_the_machine_draws_or_runs_long_is_not_allowed(name: str) -> None:
    assert name not in FUNCTIONS
    assert name == name.lower()


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("date('2024-02-28', '+2 days')", "2024-03-01"),
        ("time('12:30', '-1 hour')", "11:30:00"),
        ("strftime('%Y-%j', '2024-12-31')", "2024-366"),
        ("datetime('2024-01-01')", "2024-01-01 00:00:00"),
        ("julianday('2000-01-01 12:00')", 2451545.0),
        ("date(NULL)", None),
        ("date('no date')", None),
    ],
)
def test_a_given_time_is_computed_as_sqlite_does(connection: sqlite3.Connection, statement: str, value: object) -> None:
    assert connection.execute(f"SELECT {statement}").fetchone() == (value,)


@pytest.mark.parametrize(
    "statement",
    [
        "date('now')",
        "date('NOW', '-1 day')",
        "time()",
        "strftime('%Y')",
        "strftime('%Y', 'now')",
        "unixepoch('subsec')",
        "date('now' || char(0))",
    ],
)
def test_the_present_time_is_refused_however_it_is_asked_for(connection: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connection.execute(f"SELECT {statement}")
    assert "given time" in CLOCK_READ
