"""Texts in the shape of the suites' data sets, made in a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from made.open_set_texts import CLASSES, EACH, made

from lifelong.evals.data.texts import TextData


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TextData:
    monkeypatch.setenv("LIFELONG_CACHE", str(tmp_path))
    names = tuple(f"intent {number}" for number in range(CLASSES))
    parts = {name: made(CLASSES * EACH, False, seed) for seed, name in enumerate(("train", "validation", "test"))}
    outliers = {f"outliers_{name}": made(10, True, seed) for seed, name in enumerate(("train", "validation", "test"), 10)}
    return TextData(names=names, **parts, **outliers, sentences=made(30, True, 20))
