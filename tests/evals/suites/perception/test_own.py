"""Known, likely to fail and new on a user's own file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_data import run_in_process

from lifelong.evals.suites.perception import own

GOODS = ("parcel", "refund", "bill", "password")


def write(folder: Path, goods: tuple[str, ...], unlabelled: int) -> Path:
    file = folder / "own.jsonl"
    rows: list[dict[str, str]] = [
        {"text": f"my {good} is {how} {n}", "label": good} for good in goods for how in ("late", "wrong") for n in range(20)
    ]
    rows += [{"text": f"sing of the sea and of {n} ships"} for n in range(unlabelled)]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


@pytest.fixture(autouse=True)
def hashed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run_in_process(monkeypatch, tmp_path / "cache")


@pytest.mark.slow
def test_every_case_is_measured(tmp_path: Path) -> None:
    rows = own.run(quick=True, seeds=1, texts=write(tmp_path, GOODS, 40))
    part = "own texts, 3 of 4 classes known"
    assert {row.case for row in rows} == {"own texts, 4 classes known", part, f"{part}, as deployed"}
    assert {"lifelong", "logistic_msp", "logistic_msp_two_views", "msp"} <= {row.method for row in rows}
    ours = {row.metric: row.value for row in rows if (row.method, row.case) == ("lifelong", "own texts, 4 classes known")}
    assert ours["accuracy"] > 0.9
    assert ours["ood_auroc"] > 0.9


@pytest.mark.slow
def test_where_nothing_is_unknown_nothing_is_said_of_it(tmp_path: Path) -> None:
    rows = own.run(quick=True, seeds=1, texts=write(tmp_path, GOODS[:2], 0))
    assert {row.case for row in rows} == {"own texts, 2 classes known"}
    assert {row.metric for row in rows} == {"accuracy", "failure_aurc_x1000"}
