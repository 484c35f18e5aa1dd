from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.envs._answers import sparql_query, sql_statement
from lifelong.envs.database.sqlite import Result, SqlProblem, StatementRefused, Table, execute, judge, same_result, same_rows

CITIES = Table(
    name="cities",
    columns=(("name", "TEXT"), ("population", "INT"), ("area", "REAL")),
    rows=(("Oslo", 700, 454.0), ("Lima", 9700, 2672.3), ("Rome", 2800, 1285.0)),
)


def run(statement: str) -> Result:
    return execute([CITIES], statement)


def test_schema_is_one_line() -> None:
    assert CITIES.schema == "Table cities(name TEXT, population INT, area REAL)"


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("```sql\nSELECT 1;\n```\nThis counts.", "SELECT 1"),
        ("```\nselect a\nfrom b\n```", "select a\nfrom b"),
        ("```sql\nSELECT 1", "SELECT 1"),
        ("SQL: SELECT 1", "SELECT 1"),
        ("Here it is:\nSELECT a FROM b\n\nIt lists all a.", "SELECT a FROM b"),
        ("SELECT ';' AS x; SELECT 2", "SELECT ';' AS x"),
        ("SELECT 'it''s; fine' ; more", "SELECT 'it''s; fine'"),
        ("no idea", "no idea"),
        ("", ""),
    ],
)
def test_finds_the_statement(text: str, statement: str) -> None:
    assert sql_statement(text) == statement


def test_sparql_keeps_its_semicolons() -> None:
    query = "SELECT ?x WHERE { ?x :a :b ; :c :d }"
    assert sparql_query(f"```sparql\n{query}\n```\nDone.") == query
    assert sparql_query(f"SPARQL: {query}") == query


@given(st.text())
def test_finding_never_fails_and_only_cuts(text: str) -> None:
    for found in (sql_statement(text), sparql_query(text)):
        assert found in text
        assert found == found.strip()


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


def test_queries_and_modifications_are_told_apart() -> None:
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
    assert run("SELECT printf('%100000000d', 1)").rows == ((None,),)
    assert time.perf_counter() - began < 5


def test_an_answer_cannot_touch_the_next_one() -> None:
    run("DELETE FROM cities")
    assert len(run("SELECT * FROM cities").rows) == 3
