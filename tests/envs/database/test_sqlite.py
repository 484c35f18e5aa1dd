from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.envs.database.sqlite import (
    Result,
    SqlProblem,
    StatementRefused,
    Table,
    answer,
    asks_for_order,
    execute,
    judge,
    same_result,
    same_rows,
)

CITIES = Table(
    name="cities",
    columns=(("name", "TEXT"), ("population", "INT"), ("area", "REAL")),
    rows=(("Oslo", 700, 454.0), ("Lima", 9700, 2672.3), ("Rome", 2800, 1285.0)),
)


def run(statement: str) -> Result:
    return execute([CITIES], statement)


def test_schema_is_one_line() -> None:
    assert CITIES.schema == "Table cities(name TEXT, population INT, area REAL)"


@given(st.text(max_size=60))
def test_any_text_is_refused_or_runs(text: str) -> None:
    reply = judge(SqlProblem(tables=(CITIES,), goal="g", gold="SELECT name FROM cities WHERE area > 2000"), text)
    assert reply.error or reply.done
    assert reply.reward == 0.0


rows = st.lists(st.tuples(st.integers(-3, 3) | st.none(), st.floats(-2, 2) | st.text(max_size=2)), max_size=6)


@given(rows, st.randoms())
def test_multiset_ignores_order(left: list[tuple[object, ...]], rng) -> None:
    right = list(left)
    rng.shuffle(right)
    assert same_rows(left, right)
    assert not same_rows(left, [*right, (99, "x")])
    assert same_rows(left, right, ordered=True) == (left == right) or any(isinstance(row[1], float) for row in left)


def test_tolerance_is_numeric_only() -> None:
    assert same_rows([(1.0000001, "a")], [(1, "a")])
    assert not same_rows([(1.001, "a")], [(1, "a")])
    assert not same_rows([("1",)], [(1,)])
    assert same_rows([(0.1 + 0.2,), (5,)], [(5,), (0.3,)])
    assert not same_rows([(1,), (1,), (2,)], [(1,), (2,), (2,)])


def test_queries_and_modifications_are_distinguished() -> None:
    gold = run("DELETE FROM cities WHERE population > 5000")
    assert same_result(run("DELETE FROM cities WHERE name = 'Lima'"), gold)
    assert not same_result(run("DELETE FROM cities WHERE name = 'Oslo'"), gold)
    assert not same_result(run("SELECT * FROM cities WHERE population <= 5000"), gold)
    query = run("SELECT name FROM cities ORDER BY area DESC")
    turned = run("SELECT name FROM cities ORDER BY area ASC")
    assert same_result(turned, query)
    assert not same_result(turned, query, ordered=True)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT nope FROM cities", "no such column: nope"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("ATTACH DATABASE '/etc/passwd' AS p", "not authorized|too many attached"),
        ("DETACH DATABASE main", "not authorized"),
        ("PRAGMA writable_schema = 1", "not authorized"),
        ("DROP TABLE cities", "not authorized"),
        ("CREATE TABLE t(x)", "not authorized"),
        ("VACUUM INTO '/tmp/x.db'", "authorization denied|not authorized"),
        ("SELECT load_extension('x')", "not authorized"),
        ("DELETE FROM sqlite_master", "not authorized|may not be modified"),
        ("BEGIN", "not authorized"),
        ("SELECT random()", "not authorized"),
        ("SELECT printf('%100000000d', 1)", "not authorized"),
        ("SELECT format('%d', 1)", "not authorized"),
        ("SELECT changes()", "not authorized"),
        ("SELECT * FROM pragma_database_list", "not authorized"),
        ("SELECT sqlite_version()", "not authorized"),
        ("SELECT strftime('%s', 'now')", "a given time"),
        ("SELECT date('n' || 'OW')", "a given time"),
        ("SELECT date(x'6e6f77')", "a given time"),
        ("SELECT unixepoch()", "a given time"),
        ("SELECT CURRENT_TIMESTAMP", "not authorized"),
        ("SELECT 1\0", "null character"),
        ("-- nothing", "no SQL statement"),
        ("", "no SQL statement"),
        ("SELECT zeroblob(100000000)", "too big"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", "more than 1000 rows"),
        ("SELECT '\udcff'", "surrogates"),
    ],
)
def test_refusals(statement: str, reason: str) -> None:
    with pytest.raises(StatementRefused, match=reason):
        run(statement)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


@pytest.mark.parametrize(
    "statement",
    [
        f"{ENDLESS} SELECT COUNT(*) FROM n",
        f"{ENDLESS} SELECT hex(zeroblob(900)) AS x FROM n ORDER BY x",
        f"INSERT INTO cities {ENDLESS} SELECT hex(zeroblob(900)), i, 0 FROM n",
        "SELECT COUNT(*) FROM " + ", ".join(f"cities c{number}" for number in range(30)),
    ],
)
def test_endless_statements_stop(statement: str) -> None:
    began = time.perf_counter()
    with pytest.raises(StatementRefused, match=r"stopped after|is full"):
        run(statement)
    assert time.perf_counter() - began < 10


def test_one_slow_instruction_stays_short() -> None:
    began = time.perf_counter()
    assert run("SELECT COUNT(*) FROM cities WHERE hex(zeroblob(1900)) LIKE '" + "%0" * 40 + "1'").rows == ((0,),)
    assert time.perf_counter() - began < 5


def test_a_call_without_end_ends() -> None:
    many = Table(name="t", columns=(("a", "INT"),), rows=tuple((number,) for number in range(50)))
    statement = "SELECT count(printf('%.*c', 2147483647 - a.a * b.a, 'x')) FROM t a, t b"
    began = time.perf_counter()
    for refuse in (execute, answer):
        with pytest.raises(StatementRefused, match="not authorized"):
            refuse([many], statement)
    assert time.perf_counter() - began < 10


CITY_NAMES = (("Oslo",), ("Lima",), ("Rome",))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name\n\nFROM cities",
        "\n\nSELECT name FROM cities\n\n;\n\n",
        "-- the names; all of them\nSELECT name FROM cities -- done; really\n;",
        "/* SELECT\nSELECT 1; */ SELECT name FROM cities",
        "SELECT name FROM cities WHERE name <> 'a;b' AND name <> 'it''s; fine';",
        "SQL: SELECT name FROM cities",
        "**Answer:** the statement is: SELECT name FROM cities",
        "The table:\n```\nname, population\n```\nThe statement:\n```sql\nSELECT name FROM cities;\n```\nDone.",
        "```sql\n-- names\n\nSELECT name\n\nFROM cities\n```\n\n```\nOslo\n```",
        "```sql\nSELECT name FROM cities",
        "Use `SELECT name FROM cities` for that.",
        "Here it is:\nSELECT name FROM cities\n\nIt's a list; no more.",
        "SELECT name FROM cities; SELECT 2",
    ],
)
def test_the_statement_that_sqlite_accepts_is_judged(text: str) -> None:
    assert answer([CITIES], text).rows == CITY_NAMES


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT nme FROM cities", "no such column: nme"),
        ("```sql\nSELECT nme FROM cities\n```\nor\n```sql\nSELECT name FROM cities\n```", "no such column: nme"),
        ("Well:\nSELECT name FROM\n\n1) see above", "incomplete input"),
        ("no idea", 'near "no": syntax error'),
        ("", "no SQL statement"),
        ("x" * 30_000, "the limit is 20000"),
    ],
)
def test_the_error_shown_is_that_of_the_statement_meant(text: str, reason: str) -> None:
    with pytest.raises(StatementRefused, match=re.escape(reason)):
        answer([CITIES], text)


@pytest.mark.parametrize("text", ["SELECT 1\0;", "SELECT '\ud800';"])
def test_a_text_that_sqlite_cannot_hold_can_be_corrected(text: str) -> None:
    reply = judge(SqlProblem(tables=(CITIES,), goal="g", gold="SELECT 1"), text)
    assert (reply.error, reply.done) == (True, False)


def test_an_answer_gives_what_the_statement_gives_in_this_process() -> None:
    for statement in (
        "SELECT date('2020-01-31', '+1 month'), strftime('%Y', 0), date(NULL)",
        "SELECT x'00ff', 1.5, NULL, 'é', 9007199254740993",
        "INSERT INTO cities VALUES ('Bern', 1, x'01')",
        "SELECT 9e999",
    ):
        assert answer([CITIES], statement) == run(statement)


def test_order_is_asked_for_outside_of_parentheses_and_strings() -> None:
    assert asks_for_order("SELECT a FROM t\nORDER   BY a LIMIT 2;")
    assert asks_for_order("select a from (select a from t) order by a")
    assert not asks_for_order("DELETE FROM t WHERE a IN (SELECT a FROM t ORDER BY a)")
    assert not asks_for_order("SELECT 'ORDER BY', row_number() OVER (ORDER BY a) FROM t")


def test_an_answer_cannot_touch_the_next_one() -> None:
    run("DELETE FROM cities")
    assert len(run("SELECT * FROM cities").rows) == 3
