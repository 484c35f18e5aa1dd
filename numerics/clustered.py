"""Intervals of differences where the unit that was drawn is a cluster of several values: a session of several runs. Pure functions.

The values of one session are alike, so that a session of thirty runs tells less than thirty sessions of one. A mean over clusters is
a ratio of two sums, whose variance follows by linearisation (Cochran, Sampling Techniques, 3rd ed. 1977, sections 6.3 and 9A.4).
scipy is imported where it is used, since this layer must import at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from .intervals import Interval, rate_difference_ci95_of_rates

Clusters = Sequence[tuple[float, int]]
"""Of each cluster the sum of its values, and how many they are (at least one)."""


def clustered_mean(clusters: Clusters) -> float:
    """The mean of all values. Raises `ValueError` for none.

    >>> clustered_mean([(3, 2), (0, 1)])
    1.0
    """
    count = sum(number for _, number in clusters)
    if not count:
        raise ValueError("no values have no mean; give at least one cluster")
    return sum(total for total, _ in clusters) / count


def clustered_variance(clusters: Clusters) -> float:
    """Variance of `clustered_mean` by linearisation, with the factor k / (k - 1) for k clusters; infinite for one cluster."""
    k, count, mean = len(clusters), sum(number for _, number in clusters), clustered_mean(clusters)
    if k < 2:
        return float("inf")
    return k / (k - 1) * sum((total - mean * number) ** 2 for total, number in clusters) / count**2


def mean_difference_ci95(a: Clusters, b: Clusters) -> Interval | None:
    """95 % interval of mean a minus mean b (Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28); None where one has but one cluster.

    Where every cluster holds one value it is the interval of Welch's two-sample t test.
    """
    if min(len(a), len(b)) < 2:
        return None
    from scipy.special import stdtrit  # type: ignore[import-untyped, unused-ignore]

    difference, one, other = clustered_mean(a) - clustered_mean(b), clustered_variance(a), clustered_variance(b)
    both = one + other
    if not both:
        return difference, difference
    freedom = both**2 / (one**2 / (len(a) - 1) + other**2 / (len(b) - 1))
    half = float(stdtrit(freedom, 0.975)) * sqrt(both)
    return difference - half, difference + half


def effective_trials(clusters: Clusters) -> float:
    """How many independent trials tell as much of a rate as these clusters of successes.

    The trials divided by the design effect, the clustered variance over the binomial one, where that is above 1 (Rao and Scott,
    Biometrics 48 (1992) 577, https://doi.org/10.2307/2532311). Where all succeed or all fail nothing shows how alike a cluster's
    trials are, and each counts once, as it does where there is one cluster alone.
    """
    k, trials, rate = len(clusters), sum(number for _, number in clusters), clustered_mean(clusters)
    binomial = rate * (1 - rate) / trials
    if k < 2 or not binomial:
        return float(k)
    # Without the factor k / (k - 1), so that single trials have a design effect of exactly 1.
    return trials / max(1.0, (k - 1) / k * clustered_variance(clusters) / binomial)


def clustered_rate_difference_ci95(a: Clusters, b: Clusters) -> Interval:
    """95 % interval of rate a minus rate b, within [-1, 1]: Newcombe's method 10 with the effective number of trials.

    Equals `rate_difference_ci95` where every cluster is one trial. Raises `ValueError` for an empty side.
    """
    return rate_difference_ci95_of_rates(clustered_mean(a), effective_trials(a), clustered_mean(b), effective_trials(b))
