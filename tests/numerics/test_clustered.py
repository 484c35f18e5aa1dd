"""Intervals over clusters: textbook values where a cluster is one value, wider ones where a cluster repeats itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.numerics.clustered import (
    clustered_mean,
    clustered_rate_difference_ci95,
    clustered_variance,
    effective_trials,
    mean_difference_ci95,
)
from lifelong.numerics.intervals import rate_difference_ci95


def singles(values: list[float]) -> list[tuple[float, int]]:
    return [(value, 1) for value in values]


def test_single_values_give_welchs_interval() -> None:
    from scipy import stats

    a, b = [3.0, 5.0, 4.0, 8.0, 6.0], [1.0, 2.0, 2.5, 7.0]
    interval = mean_difference_ci95(singles(a), singles(b))
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert interval == pytest.approx((expected.low, expected.high))
    assert clustered_variance(singles(a)) == pytest.approx(np.var(a, ddof=1) / len(a))


def test_single_trials_give_newcombes_interval() -> None:
    for solved, other in ((7, 2), (10, 0), (0, 0)):
        a, b = singles([1] * solved + [0] * (10 - solved)), singles([1] * other + [0] * (10 - other))
        assert clustered_rate_difference_ci95(a, b) == pytest.approx(rate_difference_ci95(solved, 10, other, 10))


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=2, max_size=12))
def test_clusters_that_repeat_one_value_tell_as_much_as_the_clusters(rows: list[tuple[int, bool]]) -> None:
    clusters = [(count * success, count) for count, success in rows]
    trials = sum(count for count, _ in rows)
    assert 0 < effective_trials(clusters) <= trials
    if len({count for count, _ in rows}) == 1 and 0 < sum(success for _, success in rows) < len(rows):
        assert effective_trials(clusters) == pytest.approx(len(rows))


def test_a_single_cluster_tells_nothing_of_a_mean_and_little_of_a_rate() -> None:
    assert mean_difference_ci95([(30.0, 10)], singles([1.0, 2.0])) is None
    assert effective_trials([(30, 30)]) == 1
    low, high = clustered_rate_difference_ci95([(30, 30)], singles([0.0] * 30))
    assert low < 0.3
    assert high == 1
    with pytest.raises(ValueError, match="no values"):
        clustered_mean([])


def test_values_without_spread_have_an_interval_without_width() -> None:
    assert mean_difference_ci95(singles([2, 2]), singles([1, 1])) == (1, 1)
