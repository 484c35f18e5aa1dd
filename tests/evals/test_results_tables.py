"""Measured rows in a terminal, in a pipe and in Markdown."""

from __future__ import annotations

import math

import pytest

from lifelong.core import DataMissing
from lifelong.evals import Row, case_table, make_results, markdown_table, pipe_table, terminal_tables

ROWS = (
    Row(case="database", method="no_memory", metric="success_after", value=0.02, ci95=(0.0, 0.06), n=50, seeds=3),
    Row(case="database", method="lifelong", metric="success_after", value=0.6666, ci95=(0.55, 0.77), n=50, seeds=3),
    Row(case="database", method="no_memory", metric="tokens_per_solved", value=math.inf),
    Row(case="database", method="lifelong", metric="tokens_per_solved", value=1234.4),
)


def test_markdown_has_a_column_a_method() -> None:
    assert markdown_table(make_results("loop", ROWS), methods=("lifelong", "no_memory")).splitlines() == [
        "| case | metric | lifelong | no_memory |",
        "| --- | --- | --: | --: |",
        "| database | success_after | 0.667 [0.550, 0.770] | 0.020 [0.000, 0.060] |",
        "| database | tokens_per_solved | 1,234 | – |",
    ]


def test_a_case_has_a_line_a_method() -> None:
    table = case_table(make_results("loop", ROWS), "database", ("success_after",))
    assert table.splitlines()[2:] == ["| no_memory | 0.020 [0.000, 0.060] |", "| lifelong | 0.667 [0.550, 0.770] |"]
    with pytest.raises(DataMissing, match="it has: database"):
        case_table(make_results("loop", ROWS), "graph")


def test_a_pipe_gets_a_line_for_each_figure() -> None:
    lines = pipe_table(make_results("loop", ROWS)).as_text().splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert lines[3].split() == ["database", "lifelong", "success_after", "0.667", "0.550", "0.770", "50", "3"]


def test_many_methods_do_not_stand_side_by_side() -> None:
    for count, tables in ((6, 1), (7, 2)):
        rows = [Row(case=case, method=f"method_{number}", metric="accuracy", value=0.5) for case in ("a", "b") for number in range(count)]
        made = terminal_tables(make_results("many", rows))
        assert len(made) == tables
        assert sum(table.as_text().count("0.500") for table in made) == 2 * count
