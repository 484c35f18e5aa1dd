"""Function calls learned from corrections and from schemas, on a tiny random model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made.function_calls import written

from lifelong.agents import Run
from lifelong.core import Action, Observation, Settings, Usage
from lifelong.core.tasks import UNKNOWN
from lifelong.evals.data.function_calls import FunctionCallEnvironment
from lifelong.evals.row_filter import ALL_ROWS, RowFilter
from lifelong.evals.suites.agents import function_calls, nights
from lifelong.evals.suites.agents.function_calls import ARMS, CASE, first_reply_is_right, function_call_rows, measured
from lifelong.serving import EmbeddedEngine

SETTINGS = Settings().with_values({"sleep.epochs": 1, "sleep.rank": 2, "sleep.attempts": 1, "model.max_tokens": 8})


def test_the_first_reply_alone_counts(tmp_path: Path) -> None:
    environment = FunctionCallEnvironment(written(tmp_path))
    task = next(task for task in environment.tasks("train", 3) if task.id.startswith("parallel"))
    whole = environment.demonstrate(task).actions[0]
    half = whole.partition("</tool_call>")[0] + "</tool_call>"

    def run(*replies: str) -> Run:
        return Run(steps=(Observation(text=task.text), *(Action(text=reply) for reply in replies)), outcome=UNKNOWN, usage=Usage())

    assert first_reply_is_right(environment, task, run(whole))
    assert not first_reply_is_right(environment, task, run(half, whole))
    assert not first_reply_is_right(environment, task, run())


@pytest.mark.parametrize("name", ["no_learning", "lifelong_with_corrections", "practice"])
def test_an_arm_is_measured_by_category(name: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Any] = []
    real = nights.train_lora

    def train(data: Any, *arguments: Any, **values: Any) -> Any:
        trained.append(list(data))
        return real(data, *arguments, **values)

    monkeypatch.setattr(nights, "train_lora", train)
    environment = FunctionCallEnvironment(written(tmp_path / "data"))
    train_tasks, test = environment.tasks("train", 6), environment.tasks("test", 3)
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    try:
        found = measured(ARMS[name], environment, engine, SETTINGS, tmp_path / "adapters", train_tasks, test, 6)
    finally:
        engine.close()
    assert {category: [len(each) for each in result.successes] for category, result in found.items()} == {
        "simple": [1],
        "multiple": [1],
        "parallel": [1],
    }
    if name == "no_learning":
        assert trained == []
        return
    [data] = trained
    assert all(sample.tools for sample in data)
    goals = {task.goal for task in train_tasks}
    shown = {str(message["content"]) for sample in data for message in sample.messages}
    assert any(goal in text for goal in goals for text in shown) is (name == "lifelong_with_corrections")
    assert all(sample.practice is (name == "practice") for sample in data)


def test_rows_of_the_cases_and_none_without_data(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert function_call_rows(quick=True, seeds=1, data=tmp_path, only=ALL_ROWS, values={}) == []
    assert f"{CASE} is passed over" in capsys.readouterr().err
    monkeypatch.setattr(function_calls, "locate", lambda name: tiny_model)
    rows = function_call_rows(
        quick=True,
        seeds=1,
        data=written(tmp_path),
        only=RowFilter(methods=("no_learning",)),
        values={"model.max_tokens": 8},
    )
    assert {row.case for row in rows} == {"bfcl-simple", "bfcl-multiple", "bfcl-parallel"}
    assert {row.metric for row in rows} == {"success_night_0", "tokens_per_solved", "training_seconds"}
