"""Other packages' rows: left out with a line where they are not there, and never at the cost of the others."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from made_data import InProcess

from lifelong.evals.suites.continual import peers as module


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "worker_pool", InProcess)
    monkeypatch.setattr(module, "clinc150", lambda data: None)


def there(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name in packages else None)


def test_what_is_not_installed_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    there(monkeypatch)
    assert module.run(quick=False, seeds=1, data=Path()) == []
    said = capsys.readouterr().err
    assert "avalanche is not installed" in said
    assert "river is not installed" in said
    assert said.count('pip install "lifelong[peers]"') == 2


def test_a_package_that_breaks_costs_its_own_rows_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(data: Path, seed: int) -> Any:
        raise ImportError("no module named pytorchcv")

    there(monkeypatch, "avalanche", "river")
    monkeypatch.setattr(module, "beside_avalanche", broken)
    monkeypatch.setattr(module, "beside_river", lambda data, seed: {("river_nb", "last_accuracy"): 0.5 + seed})
    rows = module.run(quick=False, seeds=2, data=Path())
    assert [(row.method, row.value, row.seeds) for row in rows] == [("river_nb", 1.0, 2)]
    assert "avalanche cannot be imported and is left out (no module named pytorchcv)" in capsys.readouterr().err


def test_a_quick_run_has_no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    there(monkeypatch, "avalanche", "river")
    assert module.run(quick=True, seeds=1, data=Path()) == []
