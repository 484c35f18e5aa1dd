"""Intervals against published and hand-computed figures."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.numerics.intervals import (
    bootstrap_ci95,
    clopper_pearson,
    crossed_bootstrap_ci95,
    paired_difference_ci95,
    paired_gain_ci95,
    pooled_rate_ci95,
    rate_difference_ci95,
    wilson_ci95,
)


def test_wilson_golden() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, Table I, method 3.
    assert wilson_ci95(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_ci95(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_ci95(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_ci95(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_rate_difference_golden() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, Table II, method 10, cases a, b and e.
    assert rate_difference_ci95(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert rate_difference_ci95(9, 10, 3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert rate_difference_ci95(5, 56, 0, 29) == pytest.approx((-0.0381, 0.1926), abs=5e-5)


@given(st.integers(0, 200), st.integers(0, 200))
def test_wilson_holds_the_rate(a: int, b: int) -> None:
    successes, total = min(a, b), max(a, b)
    low, high = wilson_ci95(successes, total)
    assert 0 <= low <= (successes / total if total else 0.5) <= high <= 1
    if total:
        mirrored = wilson_ci95(total - successes, total)
        assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


def test_no_trials_say_nothing() -> None:
    assert wilson_ci95(0, 0) == (0.0, 1.0)
    assert rate_difference_ci95(0, 0, 0, 0)[0] < -0.5


def test_wilson_refuses_what_is_no_rate() -> None:
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson_ci95(3, 2)


def test_bootstrap_is_near_the_normal_interval() -> None:
    low, high = bootstrap_ci95([0.0] * 50 + [1.0] * 50, seed=1)
    assert (low, high) == pytest.approx((0.402, 0.598), abs=0.015)
    assert bootstrap_ci95([0.0] * 50 + [1.0] * 50, seed=1) == (low, high)


def test_paired_difference_uses_the_pairs() -> None:
    live = [True, False] * 50
    candidate = [True, True] * 20 + [True, False] * 30
    low, high = paired_difference_ci95(candidate, live)
    assert 0.11 < low < 0.2 < high < 0.29
    assert paired_difference_ci95(live, live) == (0.0, 0.0)
    with pytest.raises(ValueError, match="same tasks"):
        paired_difference_ci95([1], [1, 0])
    with pytest.raises(ValueError, match="at least one"):
        paired_difference_ci95([], [])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30), st.integers(0, 99))
def test_swapping_the_arms_mirrors_the_interval(pairs: list[tuple[bool, bool]], seed: int) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    low, high = paired_difference_ci95(a, b, seed=seed)
    assert paired_difference_ci95(b, a, seed=seed) == pytest.approx((-high, -low))


def test_clopper_pearson_golden() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, Table I, method 5; the ends are closed forms.
    assert clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert clopper_pearson(15, 148) == pytest.approx((0.0578, 0.1617), abs=5e-5)
    assert clopper_pearson(0, 20) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)), abs=1e-9)
    assert clopper_pearson(1, 29) == pytest.approx((0.0009, 0.1776), abs=5e-5)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_paired_gain_golden() -> None:
    # With n wins in n tasks both factors are closed forms: the lower limits of the rates are 0.0225^(1/n) and 0.0025^(1/n).
    share, rate = 0.0225 ** (1 / 12), 0.0025 ** (1 / 12)
    assert paired_gain_ci95(12, 0, 12) == pytest.approx((rate * (2 * share - 1), 1.0), abs=1e-9)
    assert paired_gain_ci95(0, 0, 19) == pytest.approx((-(1 - 0.0025 ** (1 / 19)), 1 - 0.0025 ** (1 / 19)), abs=1e-9)
    assert paired_gain_ci95(0, 0, 0) == (-1.0, 1.0)
    with pytest.raises(ValueError, match="do not fit"):
        paired_gain_ci95(2, 1, 2)


def test_one_task_proves_nothing_and_six_do() -> None:
    assert [wins for wins in range(1, 9) if paired_gain_ci95(wins, 0, wins)[0] > 0] == [6, 7, 8]


def test_a_gain_is_proven_nearly_as_soon_as_by_the_exact_test() -> None:
    """McNemar's exact test of 5 %, two-sided, is the most that can be had of the counts; Bonferroni's share costs little of it."""
    missed = 0
    for wins in range(31):
        for losses in range(31):
            differing = wins + losses
            tail = sum(comb(differing, k) for k in range(wins, differing + 1)) / 2**differing
            proven = paired_gain_ci95(wins, losses, 60)[0] > 0
            assert not proven or tail <= 0.0225 + 1e-9
            missed += tail <= 0.025 and not proven
    assert missed <= 10


@given(st.integers(1, 14), st.floats(0, 1), st.floats(0, 1))
def test_paired_gain_covers_the_truth_at_least_95_of_100_times(tasks: int, differing: float, winning: float) -> None:
    win, lose = differing * winning, differing * (1 - winning)
    covered = 0.0
    for wins in range(tasks + 1):
        for losses in range(tasks + 1 - wins):
            rest = tasks - wins - losses
            low, high = paired_gain_ci95(wins, losses, tasks)
            if low - 1e-9 <= win - lose <= high + 1e-9:
                covered += comb(tasks, wins) * comb(tasks - wins, losses) * win**wins * lose**losses * max(0.0, 1 - win - lose) ** rest
    assert covered >= 0.95 - 1e-9


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_swapping_wins_and_losses_mirrors_the_gain(wins: int, losses: int, others: int) -> None:
    low, high = paired_gain_ci95(wins, losses, wins + losses + others)
    assert paired_gain_ci95(losses, wins, wins + losses + others) == pytest.approx((-high, -low))
    assert -1 <= low <= high <= 1


def test_rates_of_runs_that_agree_are_pooled() -> None:
    # 56 of 80: two runs of 28 of 40.
    assert pooled_rate_ci95([0.7, 0.7], 40) == wilson_ci95(56, 80)
    assert pooled_rate_ci95([0.7], 40) == wilson_ci95(28, 40)


def test_runs_that_differ_beyond_chance_count_as_fewer_trials() -> None:
    # By hand: mean .5, variance between runs .08, binomial .0025: 200 trials count as 6.25, and half the width is then .3085.
    low, high = pooled_rate_ci95([0.3, 0.7], 100)
    assert (low, high) == pytest.approx((0.1915, 0.8085), abs=5e-4)
    assert pooled_rate_ci95([0.0, 0.0], 40) == wilson_ci95(0, 80)
    for wrong in ([], [1.2]):
        with pytest.raises(ValueError, match="no rates"):
            pooled_rate_ci95(wrong, 40)


def test_the_crossed_bootstrap_sees_both_kinds_of_error() -> None:
    nan = float("nan")
    samples = [[1.0] * 75 + [0.0] * 25] * 4
    low, high = crossed_bootstrap_ci95(samples)
    # All runs agree, so that only the samples' deviation of .0433 is left.
    assert (low, high) == pytest.approx((0.665, 0.835), abs=0.02)
    assert crossed_bootstrap_ci95([[0.0] * 10, [1.0] * 10]) == (0.0, 1.0)
    assert crossed_bootstrap_ci95([[1.0, nan], [nan, 1.0]]) == (1.0, 1.0)
    with pytest.raises(ValueError, match="no sample"):
        crossed_bootstrap_ci95([[nan, nan]])
