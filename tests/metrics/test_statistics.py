"""Intervals over seeds and of a lesson's help."""

import pytest

from lifelong.metrics.statistics import beta_ci95, student_ci95


def test_student_golden() -> None:
    # t(0.975, 2) = 4.30265 by table; mean 0.6, s = 0.1, so the half width is 0.248413.
    assert student_ci95([0.5, 0.6, 0.7]) == pytest.approx((0.351587, 0.848413), abs=1e-6)


def test_one_seed_has_no_spread() -> None:
    for values in ([0.5], [], [0.5, float("nan")]):
        with pytest.raises(ValueError, match="at least two"):
            student_ci95(values)


def test_beta_golden() -> None:
    # Beta(1, 1) is uniform. Beta(3, 1) has the distribution function x^3.
    assert beta_ci95(0, 0) == pytest.approx((0.025, 0.975))
    assert beta_ci95(2, 0) == pytest.approx((0.025 ** (1 / 3), 0.975 ** (1 / 3)))
