"""The suite of encoders: its cases, and what it needs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lifelong.core import DataMissing
from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.encoders import suite as module


def test_without_data_it_says_what_to_name() -> None:
    with pytest.raises(DataMissing, match=r"cifar10 and clinc150 \(lifelong bench --list\); name their directory"):
        module.run(quick=True, seeds=1, data=None)


def test_every_case_is_a_module_and_the_filter_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(callable(import_module(f"{module.__package__}.{case}").run) for case in module.CASES)
    asked: dict[str, Any] = {}
    monkeypatch.setattr(module, "run_cases", lambda package, cases, **values: asked.update(values, cases=cases) or [])
    only = RowFilter(cases=("texts",))
    assert module.run(quick=True, seeds=3, data=Path("d"), only=only) == []
    assert asked == {"cases": module.CASES, "quick": True, "seeds": 3, "data": Path("d"), "only": only}
