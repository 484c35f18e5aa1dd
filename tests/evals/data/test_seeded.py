"""Rows from one measurement a seed."""

from __future__ import annotations

import pytest

from lifelong.evals.data.seeded import rows_of, seeded_rows
from lifelong.metrics.statistics import student_ci95


def test_rows_are_means_over_seeds_with_students_interval() -> None:
    asked: list[int] = []

    def measure(seed: int) -> dict[tuple[str, str], float]:
        asked.append(seed)
        return {("lifelong", "accuracy"): 0.5 + 0.1 * seed, ("naive", "accuracy"): 0.25}

    ours, naive = seeded_rows("a case", measure, 3, n=20)
    assert asked == [0, 1, 2]
    assert (ours.case, ours.method, ours.metric) == ("a case", "lifelong", "accuracy")
    assert ours.value == pytest.approx(0.6)
    assert ours.ci95 == student_ci95([0.5, 0.6, 0.7])
    assert (ours.n, ours.seeds) == (60, 3)
    assert naive.value == 0.25


def test_one_seed_has_no_interval_over_seeds() -> None:
    [row] = rows_of("a case", [{("lifelong", "accuracy"): 0.5}])
    assert row.ci95 is None
    assert row.seeds == 1
