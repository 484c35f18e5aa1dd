"""Rows from one measurement a seed."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.seeded import Rate, rows_of, seeded_rows
from lifelong.metrics.statistics import student_ci95, wilson_ci95


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


def test_values_of_test_samples_give_an_interval_that_resamples_them() -> None:
    # Every seed is wrong on the same quarter of the samples: seeds agree, and the test set is still a sample.
    values = np.ones(200)
    values[:50] = 0
    [row] = rows_of("a case", [{("lifelong", "accuracy"): values}] * 3, n=200)
    assert row.value == 0.75
    assert row.ci95 is not None
    # The binomial deviation is sqrt(.75 * .25 / 200) = 0.0306.
    assert row.ci95 == pytest.approx((0.69, 0.81), abs=0.01)


def test_samples_that_a_seed_did_not_test_do_not_count() -> None:
    one, other = np.array([1.0, 0.0, np.nan]), np.array([np.nan, 1.0, 1.0])
    [row] = rows_of("a case", [{("lifelong", "accuracy"): one}, {("lifelong", "accuracy"): other}])
    assert row.value == 0.75


def test_rates_are_pooled_and_have_a_width_where_all_seeds_agree() -> None:
    [row] = rows_of("a case", [{("lifelong", "known_share"): Rate(hits=28, trials=40)}] * 2, n=7)
    assert (row.value, row.n) == (0.7, 80)
    assert row.ci95 == pytest.approx(wilson_ci95(56, 80))
    one, other = Rate.of(np.arange(100) < 60), Rate.of(np.arange(100) < 90)
    [apart] = rows_of("a case", [{("lifelong", "known_share"): one}, {("lifelong", "known_share"): other}])
    assert apart.ci95 is not None
    low, high = wilson_ci95(150, 200)
    assert apart.ci95[0] < low < 0.75 < high < apart.ci95[1], "seeds that differ more than chance make it wider"
