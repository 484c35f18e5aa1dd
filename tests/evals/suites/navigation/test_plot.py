"""The curves hold what was measured, and there are none before there are two stages."""

from __future__ import annotations

import pytest

from lifelong.evals.results_file import Row
from lifelong.evals.suites.navigation.plot import NAMES, plot
from lifelong.evals.suites.navigation.suite import plots


def rows(stages: int, method: str = "lifelong_cnav") -> list[Row]:
    return [
        Row(case="objectnav-grid", method=method, metric=f"success_after_stage_{stage}", value=0.9 - stage / 10, ci95=(0.1, 0.95))
        for stage in range(1, stages + 1)
    ]


def test_nothing_is_drawn_before_two_stages() -> None:
    assert plot([]) is None
    assert plot(rows(1)) is None
    assert plots(rows(1)) == {}


def test_a_curve_a_method() -> None:
    pytest.importorskip("matplotlib")
    drawn = plots([*rows(3), *rows(3, "fine_tuning"), *rows(3, "ewc")])["stages"]
    assert NAMES["lifelong_cnav"] in drawn
    assert NAMES["fine_tuning"] in drawn
    assert "ewc" not in drawn
