"""Cases of a suite one after another, or only those that are asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lifelong.evals import Row
from lifelong.evals.cases import chosen, run_cases, takes_filter
from lifelong.evals.row_filter import ALL_ROWS, RowFilter


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a case that measures whatever is asked, and one that always measures everything."""
    package = ModuleType("made_suite")
    package.__path__ = []
    selective, plain = ModuleType("made_suite.selective"), ModuleType("made_suite.plain")

    def some(*, quick: bool, seeds: int, data: Path, only: RowFilter) -> list[Row]:
        return [Row(case="one", method=method, metric="m", value=float(seeds)) for method in ("a", "b") if only.wants_method(method)]

    def everything(*, quick: bool, seeds: int, data: Path) -> list[Row]:
        return [Row(case="two", method=method, metric="m", value=2.0) for method in ("a", "b")]

    selective.run, plain.run = some, everything  # type: ignore[attr-defined]
    for module in (package, selective, plain):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return "made_suite"


def measured(package: str, only: RowFilter, **values: Any) -> list[tuple[str, str]]:
    rows = run_cases(package, ("selective", "plain"), quick=True, seeds=3, data=Path(), only=only, **values)
    return [(row.case, row.method) for row in rows]


def test_all_cases_in_their_order_with_a_line_each(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured(package, ALL_ROWS) == [("one", "a"), ("one", "b"), ("two", "a"), ("two", "b")]
    assert [line.split(" (")[0] for line in capsys.readouterr().err.splitlines()] == ["selective: 2 figures", "plain: 2 figures"]


def test_a_named_case_is_run_alone(package: str) -> None:
    assert measured(package, RowFilter(cases=("plain",), methods=("b",))) == [("two", "b")]


def test_a_method_alone_is_looked_for_in_every_case(package: str) -> None:
    assert chosen(("selective", "plain"), RowFilter(methods=("b",))) == ["selective", "plain"]
    assert chosen(("selective", "plain"), RowFilter(cases=("plain", "clinc"))) == ["plain"]
    assert measured(package, RowFilter(methods=("b",))) == [("one", "b"), ("two", "b")]


def test_a_filter_is_a_parameter_of_that_name() -> None:
    assert takes_filter(lambda *, only: only)
    assert not takes_filter(lambda *, other: other)
    assert not takes_filter(None)
