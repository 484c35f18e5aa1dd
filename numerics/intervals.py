"""Confidence intervals as pure functions: a rate, a mean, a paired difference, a difference of two rates.

numpy is imported where it is used, since this layer must import at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

Interval = tuple[float, float]
"""Lower and upper bound."""

Z95 = NormalDist().inv_cdf(0.975)
"""Two-sided 95 % quantile of the standard normal, 1.95996."""

RESAMPLES = 2000
"""Bootstrap draws; the percentile bounds then move by less than a tenth of their width from seed to seed."""


def wilson_ci95(successes: int, total: int) -> Interval:
    """Score interval of a rate (Wilson 1927; Newcombe 1998, method 3), within [0, 1].

    No trials at all say nothing: (0, 1). Raises `ValueError` unless 0 <= successes <= total.
    """
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} is no rate; successes must lie between 0 and the total")
    if total == 0:
        return 0.0, 1.0
    rate, squared = successes / total, Z95**2
    centre = (rate + squared / (2 * total)) / (1 + squared / total)
    half = Z95 * sqrt(rate * (1 - rate) / total + squared / (4 * total**2)) / (1 + squared / total)
    # At 0 and at `total` a bound is exact in theory; rounding must not push it past the rate.
    return min(max(0.0, centre - half), rate), max(min(1.0, centre + half), rate)


def bootstrap_ci95(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Percentile bootstrap interval of a mean (Efron and Tibshirani 1993, section 13.3).

    Values without spread give an interval without width: for few values it is too sure of itself.
    Raises `ValueError` for no values.
    """
    import numpy as np

    if len(values) == 0:
        raise ValueError("no values to bootstrap; give at least one")
    sample = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(sample), size=(resamples, len(sample)))
    low, high = np.quantile(sample[draws].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def paired_difference_ci95(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> Interval:
    """Bootstrap interval of mean(a) - mean(b), the same tasks in both, resampled as pairs.

    Successes are 1 and 0 (or booleans). Raises `ValueError` for unequal lengths or no tasks.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} results against {len(b)}; a paired difference needs the same tasks in both")
    return bootstrap_ci95([float(x) - float(y) for x, y in zip(a, b, strict=True)], seed=seed)


def rate_difference_ci95(successes_a: int, total_a: int, successes_b: int, total_b: int) -> Interval:
    """Interval of rate a minus rate b for two separate groups, within [-1, 1] (Newcombe 1998, method 10).

    Raises `ValueError` as `wilson_ci95` does. An empty group counts as rate 1/2 with interval (0, 1).
    """
    low_a, high_a = wilson_ci95(successes_a, total_a)
    low_b, high_b = wilson_ci95(successes_b, total_b)
    rate_a = successes_a / total_a if total_a else 0.5
    rate_b = successes_b / total_b if total_b else 0.5
    difference = rate_a - rate_b
    below = sqrt((rate_a - low_a) ** 2 + (high_b - rate_b) ** 2)
    above = sqrt((high_a - rate_a) ** 2 + (rate_b - low_b) ** 2)
    return max(-1.0, difference - below), min(1.0, difference + above)
