"""The first candidate that SQLite reads is run, and its own refusal is the answer."""

from __future__ import annotations

from typing import Any

from lifelong.envs.database.sql_worker import SAMPLE, answer

TABLES = [{"name": "cities", "columns": [["name", "TEXT"], ["size", "INT"]], "rows": [["Oslo", 7], ["Lima", 10]]}]


def asked(*candidates: str, reported: int = 0) -> dict[str, Any]:
    return answer({"tables": TABLES, "candidates": list(candidates), "reported": reported})


def test_the_sample_is_answered() -> None:
    assert answer(SAMPLE)["wrote"] is False
    assert len(answer(SAMPLE)["rows"]) == 1


def test_what_cannot_be_read_is_passed_over() -> None:
    reply = asked("Here is the query:", "SELECT name FROM cities ORDER BY size", "SELECT 1")
    assert reply["rows"] == [["Oslo"], ["Lima"]]
    assert reply["wrote"] is False


def test_the_first_that_can_be_read_decides_although_it_fails() -> None:
    assert "no such column" in asked("SELECT nme FROM cities", "SELECT name FROM cities")["error"]


def test_where_none_is_a_statement_the_one_that_was_named_is_reported() -> None:
    first, second = (asked("SELEC 1", "Here it is", reported=reported)["error"] for reported in (0, 1))
    assert "SELEC" in first
    assert "Here" in second


def test_a_change_answers_with_the_tables_afterwards_and_changes_nothing_for_the_next() -> None:
    reply = asked("DELETE FROM cities WHERE size > 8")
    assert reply["wrote"] is True
    assert reply["state"]["cities"] == [["Oslo", 7]]
    assert len(asked("SELECT * FROM cities")["rows"]) == 2
