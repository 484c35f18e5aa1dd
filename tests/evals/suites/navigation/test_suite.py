"""What is wanted is measured, and nothing else; the further cases share one navigator."""

from __future__ import annotations

import pytest

from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.navigation import suite
from lifelong.evals.suites.navigation.stages import StagesResult, Taught

NO_RESET = "objectnav-grid, no reset"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    measure = suite.taught

    def counted(method: str, *arguments: object) -> tuple[Taught, StagesResult]:
        found.append(method)
        return measure(method, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(suite, "taught", counted)
    return found


def test_only_what_is_wanted_is_measured(calls: list[str]) -> None:
    only = RowFilter(methods=("ewc", "random_walk"), cases=(suite.CASE,))
    rows = suite.run(quick=True, seeds=1, data=None, only=only)
    assert calls == ["ewc"]
    assert {row.method for row in rows} == {"ewc", "random_walk"}
    assert suite.run(quick=True, seeds=1, data=None, only=RowFilter(cases=("elsewhere",))) == []
    assert calls == ["ewc"]


def test_one_navigator_serves_all_further_cases(calls: list[str]) -> None:
    rows = suite.run(quick=True, seeds=1, data=None, only=RowFilter(cases=(NO_RESET, "objectnav-grid, goals never taught")))
    assert calls == ["lifelong_cnav"]
    assert {row.case for row in rows} == {NO_RESET, "objectnav-grid, goals never taught"}
