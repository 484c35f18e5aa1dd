from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.envs._answers import MAX_CANDIDATES, reported, sparql_candidates, sql_candidates


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("```sql\nSELECT 1;\n```\nThis counts.", "SELECT 1"),
        ("```\nselect a\nfrom b\n```", "select a\nfrom b"),
        ("```sql\nSELECT 1", "SELECT 1"),
        ("SQL: SELECT 1", "SELECT 1"),
        ("SELECT ';' AS x; SELECT 2", "SELECT ';' AS x"),
        ("SELECT 'it''s; fine' ; more", "SELECT 'it''s; fine'"),
        ("~~~sql\nSELECT 1;\n~~~", "SELECT 1"),
        ("no idea", "no idea"),
        ("", ""),
    ],
)
def test_the_likeliest_statement_comes_first(text: str, statement: str) -> None:
    assert sql_candidates(text)[0] == statement


@pytest.mark.parametrize("mark", ["**SQL:** ", "1. ", "2) ", "- ", "* ", "> ", "> 1. **Query:** "])
def test_marks_of_markdown_come_off(mark: str) -> None:
    assert "SELECT 1" in sql_candidates(f"{mark}SELECT 1")
    query = "SELECT ?x WHERE { ?x :a :b }"
    assert query in sparql_candidates(f"{mark}{query}")


def test_a_quoted_statement_goes_over_several_lines() -> None:
    assert "SELECT a\nFROM b" in sql_candidates("> SELECT a\n> FROM b")


def test_a_statement_in_a_comment_is_none() -> None:
    assert sql_candidates("-- SELECT 1") == ["-- SELECT 1"]


def test_prose_right_after_a_sparql_query_comes_off_and_a_modifier_stays() -> None:
    query = "SELECT ?x WHERE { ?x :a :b }"
    assert query in sparql_candidates(f"{query}\nThis lists all.")
    assert query in sparql_candidates(f"Use this: {query} which lists all.")
    assert f"{query} ORDER BY ?x" in sparql_candidates(f"{query} ORDER BY ?x\nThis lists all.")
    assert query not in sparql_candidates(f"{query} ORDER BY ?x LIMITT 3")


@pytest.mark.parametrize("unreadable", ["\0", "\ud800"])
def test_what_sqlite_cannot_hold_is_left_to_it(unreadable: str) -> None:
    assert sql_candidates(f"SELECT 1{unreadable};") == [f"SELECT 1{unreadable};"]
    assert sql_candidates(f"SELECT 1;{unreadable}")[0] == "SELECT 1"


def test_prose_after_a_blank_line_comes_off_last() -> None:
    assert sql_candidates("SELECT a\n\nFROM b\n\nIt lists all a.") == [
        "SELECT a\n\nFROM b\n\nIt lists all a.",
        "SELECT a\n\nFROM b",
        "SELECT a",
    ]


def test_sparql_keeps_its_semicolons() -> None:
    query = "SELECT ?x WHERE { ?x :a :b ; :c :d }"
    assert sparql_candidates(f"```sparql\n{query}\n```\nDone.")[0] == query
    assert sparql_candidates(f"SPARQL: {query}")[0] == query


@given(st.text(alphabet=st.one_of(st.sampled_from("`;:\n'SELECT "), st.characters())))
def test_finding_never_fails_and_only_cuts(text: str) -> None:
    for candidates in (sql_candidates(text), sparql_candidates(text)):
        assert 0 < len(candidates) <= MAX_CANDIDATES
        assert reported(candidates) in candidates
        assert all(found == found.strip() for found in candidates)
        assert all(set(found) <= set(text) | {"\n"} for found in candidates)
