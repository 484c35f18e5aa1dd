"""The table of the class stream: which heads are measured, and few labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made.open_set_texts import made

from lifelong.evals.data.seeded import mean_of
from lifelong.evals.data.texts import TextData
from lifelong.evals.row_filter import ALL_ROWS, RowFilter
from lifelong.evals.suites.continual import streams as module


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> str:
    """Eight classes in four steps."""
    parts = {name: made(96, False, seed) for seed, name in enumerate(("train", "validation", "test"))}
    none = {f"outliers_{name}": made(0, True, 9) for name in ("train", "validation", "test")}
    data = TextData(names=tuple(map(str, range(8))), **parts, **none, sentences=made(0, True, 9))
    monkeypatch.setitem(module.LOADED, "clinc150", lambda _: data)
    monkeypatch.setitem(module.CASES, "made 4x2", ("clinc150", 4))
    return "made 4x2"


def test_only_the_named_methods_are_measured_and_ones_own_among_them(case: str) -> None:
    only = RowFilter(methods=("ridge", "nearest_mean", "lifelong.learners:StreamingLDAHead"))
    figures, again = (module.streams(case, Path(), False, only, 0) for _ in range(2))
    assert {method for method, _ in figures} == set(only.methods)
    for method in only.methods:
        assert mean_of(figures[method, "last_accuracy"]) > 0.9
        assert np.array_equal(figures[method, "last_accuracy"], again[method, "last_accuracy"], equal_nan=True)


def test_a_method_that_no_table_holds_is_somebodys_own() -> None:
    assert module.own_heads(ALL_ROWS) == []
    assert module.own_heads(RowFilter(methods=("ridge", "mine:Head", *module.LABELLED))) == ["mine:Head"]


def test_one_of_a_hundred_has_a_label_and_every_class_one_at_least() -> None:
    draw = np.random.default_rng(0)
    mask = np.arange(1000) >= 50
    assert len(module._drawn(mask, draw)) == 10
    assert module._drawn(mask, draw).min() >= 50
    assert len(module._drawn(np.arange(9) == 4, draw)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True])
def test_few_labels_are_compared_with_the_same_labels_alone(case: str, mixed: bool) -> None:
    figures = module.few_labels(case, mixed, Path(), False, ALL_ROWS, 0)
    gain = np.subtract(figures["lifelong_semi_ipc", "last_accuracy"], figures["ipc_labelled_only", "last_accuracy"])
    assert np.array_equal(figures["lifelong_semi_ipc", "gain_over_ipc_labelled_only"], gain, equal_nan=True)
    assert mean_of(figures["lifelong_semi_ipc", "last_accuracy"]) > 0.8
