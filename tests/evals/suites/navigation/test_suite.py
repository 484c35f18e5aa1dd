"""What is wanted is measured, and nothing else; the further cases share one navigator."""

from __future__ import annotations

import pytest

from lifelong.core import PackageMissing
from lifelong.envs.navigation.rooms_3d import NoRenderer, RoomsWorld, make_layout, take_picture
from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.navigation import suite
from lifelong.evals.suites.navigation.stages import StagesResult, Taught

ROOMS = RowFilter(cases=(suite.CASE_3D,))
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


def test_rooms_are_left_out_where_nothing_can_be_drawn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(*arguments: object) -> object:
        raise NoRenderer("no EGL here")

    monkeypatch.setattr(suite, "stage_data", fails)
    assert suite.rooms(quick=True, seeds=1, only=ROOMS) == []
    assert "objectnav-3d is left out: no EGL here" in capsys.readouterr().err
    # A quick run leaves them out too, and does not try.
    assert suite.rooms(quick=True, seeds=1, only=RowFilter()) == []
    assert capsys.readouterr().err == ""


def test_rooms_are_measured_where_they_are_named(calls: list[str]) -> None:
    try:
        take_picture(RoomsWorld(make_layout(0)))
    except (NoRenderer, PackageMissing) as problem:
        pytest.skip(str(problem))
    rows = suite.run(quick=True, seeds=1, data=None, only=RowFilter(methods=("lifelong_cnav", "random_walk"), cases=(suite.CASE_3D,)))
    assert calls == ["lifelong_cnav"]
    assert {row.method for row in rows} == {"lifelong_cnav", "random_walk"}
    assert {row.case for row in rows} == {suite.CASE_3D}
    assert next(row.value for row in rows if (row.method, row.metric) == ("lifelong_cnav", "kept_bytes")) > 0
