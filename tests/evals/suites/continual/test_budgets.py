"""Memories at equal bytes, and their curve."""

from __future__ import annotations

import numpy as np

from lifelong.evals import Row
from lifelong.evals.suites.continual import suite as continual_suite
from lifelong.evals.suites.continual.budgets import BUDGETS
from lifelong.evals.suites.continual.sampled_memories import (
    RawMemory,
)


def test_every_memory_fits_its_budget() -> None:
    draw = np.random.default_rng(0)
    vectors, labels = draw.normal(size=(600, 384)).astype(np.float32) / 384**0.5, np.repeat(np.arange(150), 4)
    for budget, (_, raw, (shared, own)) in BUDGETS.items():
        memory = RawMemory(per_class=raw)
        memory.remember(np.tile(vectors, (22, 1)), np.tile(labels, 22))
        assert 0.7 < memory.bytes / 150 / 1024 / float(budget) <= 1
        # A direction takes 384 bytes and its variance 4, whatever it is.
        assert (150 * (384 + 2 + 8 + own * 388) + shared * 388 + 4) / 150 / 1024 <= float(budget)


def test_the_curves_are_drawn_from_rows_and_stand_alone() -> None:
    rows = [
        Row(case=f"clinc150, {size} KB a class", method=method, metric=metric, value=value, ci95=(value, value + 0.01), n=1, seeds=2)
        for size, accuracy in ((1, 0.8), (2, 0.9))
        for method in ("lifelong", "raw_replay")
        for metric, value in (("last_accuracy", accuracy), ("bytes_per_class", 1024.0 * size))
    ]
    assert set(continual_suite.plots(rows[:4])) == set()
    rows += [Row(case=f"{n} skills", method="lifelong_ridge", metric="learn_class_ms", value=5.0) for n in (100, 1000)]
    drawn = continual_suite.plots(rows)
    assert set(drawn) == {"bytes", "cost"}
    for words in ("raw samples", "kilobytes a class", "prefers-color-scheme", 'xmlns="http://www.w3.org/2000/svg"'):
        assert words in drawn["bytes"]
    assert "skills known" in drawn["cost"]
