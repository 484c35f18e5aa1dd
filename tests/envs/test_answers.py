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
        ("no idea", "no idea"),
        ("", ""),
    ],
)
def test_the_likeliest_statement_comes_first(text: str, statement: str) -> None:
    assert sql_candidates(text)[0] == statement


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
