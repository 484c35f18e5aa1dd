"""A summary and a plan that version 0.1 wrote are read under today's names."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from lifelong.runs.folders import begin_run, find_run
from lifelong.runs.renamed import current_plan, current_summary
from lifelong.runs.report import closing_lines, summary_tables, write_report
from lifelong.runs.summary import summarise_metrics

EFFECT = {"treated": [9, 10], "control": [1, 10], "difference": 0.8, "ci95": [0.4, 0.95]}


def old() -> dict[str, Any]:
    """What version 0.1 wrote, in its words."""
    return {
        "families": ["database", "graph"],
        "stream": [{"position": 0, "family": "graph", "night": 0, "success": True, "control": False, "corrected": False, "tokens": 9}],
        "evaluations": [
            {"night": night, "family": name, "successes": night, "tasks": 2, "tokens": 8}
            for night in (0, 1)
            for name in ("database", "graph")
        ],
        "nights": [{"night": 1, "family": "graph"}],
        "meter": EFFECT,
        "examples": [{"family": "graph", "task": "Who?", "answers": [{"night": 0, "text": "Ada", "success": True}]}],
        "metrics": {"families": ["database", "graph"]},
        "settings": {"family": "a key of somebody else's"},
    }


def new() -> dict[str, Any]:
    """The same under today's names."""
    text = (
        json.dumps(old()).replace('"families"', '"environments"').replace('"family"', '"environment"').replace('"meter"', '"memory_effect"')
    )
    return {**json.loads(text), "settings": old()["settings"]}


def test_every_old_name_is_read_and_said_and_nothing_else_is_touched() -> None:
    given = old()
    with pytest.warns(FutureWarning, match="families is now environments, meter is now memory_effect, family is now environment"):
        assert current_summary(given) == new()
    assert given == old()


def test_todays_summary_comes_back_without_a_warning() -> None:
    given = new()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert current_summary(given) is given
        assert current_summary({}) == {}


def test_a_new_name_beside_an_old_one_wins() -> None:
    with pytest.warns(FutureWarning):
        assert current_summary({"families": ["a"], "environments": ["b"]}) == {"environments": ["b"]}


def test_figures_tables_and_report_of_an_old_run_are_those_of_a_new_one(tmp_path: Path) -> None:
    with pytest.warns(FutureWarning):
        assert summarise_metrics(old()) == summarise_metrics(new())
    with pytest.warns(FutureWarning):
        assert [table.as_text() for table in summary_tables(old())] == [table.as_text() for table in summary_tables(new())]
    with pytest.warns(FutureWarning):
        assert closing_lines(old()) == closing_lines(new())
    with pytest.warns(FutureWarning) as caught:
        page = write_report(old(), tmp_path / "old.html").read_text()
    assert len(caught) == 1, "once for a page"
    assert page == write_report(new(), tmp_path / "new.html").read_text()
    assert "Night 1 · graph" in page


def test_a_run_that_the_version_before_began_is_resumed(tmp_path: Path) -> None:
    folder = begin_run(tmp_path, {"families": ["graph"], "corrections": 4, "seed": 0})
    assert find_run(tmp_path, {"environments": ["graph"], "corrections": 4, "seed": 0}) == folder
    assert current_plan({"environments": ["graph"]}) == {"environments": ["graph"]}
