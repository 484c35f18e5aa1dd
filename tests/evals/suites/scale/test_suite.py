"""The scale suite measures a whole small record: filled, opened, asked, and one episode forgotten."""

from __future__ import annotations

import os

import pytest

from lifelong.evals.suites.scale import suite, turns
from lifelong.evals.suites.scale.suite import Size, run


def test_every_figure_of_a_small_record_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "QUICK", (Size(episodes=40, tenants=4),))
    monkeypatch.setattr(suite, "QUICK_REFLECTED", (40,))
    monkeypatch.setattr(suite, "_apart", lambda work, *values: work(*values))
    monkeypatch.setattr(turns, "QUICK", ())
    rows = run(quick=True, seeds=1, data=None)
    assert {row.case for row in rows} == {"40 episodes, 4 tenants", "reflection over 40 episodes"}
    reflected = {row.metric: row.value for row in rows if row.case.startswith("reflection")}
    assert set(reflected) == {"reflect_seconds", "reflect_cpu_seconds"}
    assert min(reflected.values()) > 0
    figures = {row.metric: row.value for row in rows if not row.case.startswith("reflection")}
    assert set(figures) == {
        "fill_seconds", "disk_mb", "first_start_answer_seconds", "first_start_settled_seconds", "open_seconds", "first_answer_seconds",
        "wake_p50_ms", "wake_p95_ms", "wake_cpu_p50_ms", "wake_cpu_p95_ms",
        "status_seconds", "resident_mb", "forget_one_seconds", "wake_first_p50_ms",
    }  # fmt: skip
    assert all(value > 0 for value in figures.values())
    assert figures["wake_p50_ms"] <= figures["wake_p95_ms"]
    assert figures["open_seconds"] <= figures["first_answer_seconds"]


def test_each_step_is_measured_in_a_process_of_its_own() -> None:
    assert suite._apart(os.getpid) != os.getpid()  # type: ignore[arg-type,comparison-overlap]
