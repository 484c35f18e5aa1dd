"""Intervals over tasks and over seeds; those that lower layers need too are in `numerics.intervals`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, sqrt
from statistics import fmean, stdev

from ..numerics.intervals import (
    Interval,
    bootstrap_ci95,
    crossed_bootstrap_ci95,
    paired_difference_ci95,
    pooled_rate_ci95,
    rate_difference_ci95,
    wilson_ci95,
)

__all__ = [
    "Interval",
    "beta_ci95",
    "bootstrap_ci95",
    "crossed_bootstrap_ci95",
    "paired_difference_ci95",
    "pooled_rate_ci95",
    "rate_difference_ci95",
    "student_ci95",
    "wilson_ci95",
]


def student_ci95(values: Sequence[float]) -> Interval:
    """Student-t interval of a mean over seeds: mean +- t(0.975, n - 1) * s / sqrt(n) (Student 1908).

    Raises `ValueError` for fewer than two values or for NaN: one seed says nothing of the spread.
    """
    from scipy.special import stdtrit

    if len(values) < 2 or any(isnan(value) for value in values):
        raise ValueError(f"{list(values)} gives no spread over seeds; at least two finite values are needed")
    mean = fmean(values)
    half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / sqrt(len(values))
    return mean - half, mean + half


def beta_ci95(helped: int, harmed: int) -> Interval:
    """Equal-tailed interval of the posterior Beta(1 + helped, 1 + harmed), a uniform prior (Laplace 1774)."""
    from scipy.special import betaincinv

    low, high = (float(betaincinv(1 + helped, 1 + harmed, quantile)) for quantile in (0.025, 0.975))
    return low, high
