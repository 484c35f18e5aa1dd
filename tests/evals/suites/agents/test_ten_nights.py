"""Ten nights from the base or on top of each other: what each is trained on, on a tiny random model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lifelong.agents import Run
from lifelong.core import Action, Judge, Observation, Outcome, Settings, Usage
from lifelong.envs import DatabaseEnvironment
from lifelong.evals.results_file import Row
from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.agents import nights, ten_nights
from lifelong.evals.suites.agents.nights import Agent
from lifelong.evals.suites.agents.suite import plots
from lifelong.evals.suites.agents.ten_nights import CASE, NightsScale, run_nights, ten_nights_rows
from lifelong.serving import EmbeddedEngine

SETTINGS = Settings().with_values({"sleep.epochs": 1, "sleep.rank": 2, "model.max_tokens": 4})
SCALE = NightsScale(nights=3, awake=2, first=6, more=4, replay=7, tested=2)


@pytest.mark.parametrize("stacked", [False, True])
def test_nights_begin_from_the_base_with_replay_or_go_on_with_what_is_new(
    stacked: bool, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Any] = []
    real = nights.train_lora

    def train(data: Any, recipe: Any, directory: Path, **values: Any) -> Any:
        trained.append((list(data), recipe.start))
        return real(data, recipe, directory, **values)

    def solve(self: Agent, tasks: Any, **values: Any) -> list[Run]:
        # The first task of each day, and of the unseen ones, is solved.
        steps = [(Observation(text=task.text), Action(text=f"SELECT '{task.id}'")) for task in tasks]
        outcomes = [Outcome(success=place == 0, judge=Judge.ENVIRONMENT) for place in range(len(tasks))]
        return [Run(steps=step, outcome=outcome, usage=Usage()) for step, outcome in zip(steps, outcomes, strict=True)]

    monkeypatch.setattr(nights, "train_lora", train)
    monkeypatch.setattr(Agent, "solve", solve)
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    try:
        result = run_nights(stacked, SCALE, DatabaseEnvironment(), engine, SETTINGS, tmp_path)
    finally:
        engine.close()
    assert result.successes == ((True, False),) * 3
    counts = [(sum(not sample.practice for sample in data), sum(sample.practice for sample in data)) for data, _ in trained]
    assert counts == ([(1, 6), (1, 4), (1, 4)] if stacked else [(1, 6), (2, 7), (3, 7)])
    assert [bool(start) for _, start in trained] == [False, stacked, stacked]
    assert result.training_seconds > 0


def test_both_ways_are_measured_and_drawn(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ten_nights, "locate", lambda name: tiny_model)
    values = {"sleep.epochs": 1, "sleep.rank": 2, "model.max_tokens": 4}
    rows = ten_nights_rows(quick=True, seeds=1, only=RowFilter(), values=values)
    found = {(row.method, row.metric) for row in rows if row.metric.startswith("success")}
    assert found == {(name, f"success_night_{night}") for name in ("lifelong", "stacked") for night in (1, 2)}
    drawn = plots(rows)["nights"]
    assert drawn.lstrip().startswith("<")
    assert "stacked" in drawn
    assert plots([Row(case=CASE, method="lifelong", metric="success_night_1", value=0.5, n=2, seeds=1)]) == {}
    assert plots([]) == {}
