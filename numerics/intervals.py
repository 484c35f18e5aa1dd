"""Confidence intervals as pure functions: a rate, a mean, a paired difference, a difference of two rates.

numpy is imported where it is used, since this layer must import at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

Interval = tuple[float, float]
"""Lower and upper bound."""

Z95 = NormalDist().inv_cdf(0.975)
"""Two-sided 95 % quantile of the standard normal, 1.95996."""

SIGN_ERROR, RATE_ERROR = 0.045, 0.005
"""How an exact paired interval divides its 5 % between the share of wins, which decides on the sign, and the share of tasks that differ."""

RESAMPLES = 2000
"""Bootstrap draws; the percentile bounds then move by less than a tenth of their width from seed to seed."""


def wilson_ci95(successes: int, total: int) -> Interval:
    """Score interval of a rate (Wilson 1927; Newcombe 1998, method 3), within [0, 1].

    No trials at all say nothing: (0, 1). Raises `ValueError` unless 0 <= successes <= total.
    """
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} is no rate; successes must lie between 0 and the total")
    return _score_interval(successes / total, total) if total else (0.0, 1.0)


def _score_interval(rate: float, total: float) -> Interval:
    """Wilson's interval of a rate over `total` trials, which need not be whole."""
    squared = Z95**2
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
    rate_a = successes_a / total_a if total_a else 0.5
    rate_b = successes_b / total_b if total_b else 0.5
    return _newcombe(rate_a, wilson_ci95(successes_a, total_a), rate_b, wilson_ci95(successes_b, total_b))


def rate_difference_ci95_of_rates(rate_a: float, total_a: float, rate_b: float, total_b: float) -> Interval:
    """The same from two rates and their numbers of trials, which are above 0 and need not be whole."""
    return _newcombe(rate_a, _score_interval(rate_a, total_a), rate_b, _score_interval(rate_b, total_b))


def _newcombe(rate_a: float, interval_a: Interval, rate_b: float, interval_b: Interval) -> Interval:
    (low_a, high_a), (low_b, high_b) = interval_a, interval_b
    difference = rate_a - rate_b
    below = sqrt((rate_a - low_a) ** 2 + (high_b - rate_b) ** 2)
    above = sqrt((high_a - rate_a) ** 2 + (rate_b - low_b) ** 2)
    return max(-1.0, difference - below), min(1.0, difference + above)


def clopper_pearson(successes: int, total: int, confidence: float = 0.95) -> Interval:
    """Exact interval of a rate, within [0, 1]: it holds the true rate with at least this probability, whatever the rate.

    Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial, Biometrika 26 (1934)
    404, https://doi.org/10.1093/biomet/26.4.404: the rates at which a tail as far as this has probability (1 - confidence) / 2.
    No trials at all say nothing: (0, 1). Raises `ValueError` unless 0 <= successes <= total and 0 < confidence < 1.
    """
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} is no rate; successes must lie between 0 and the total")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1")
    tail = (1 - confidence) / 2
    low = _rate_of_tail(total, successes, tail) if successes else 0.0
    high = 1 - _rate_of_tail(total, total - successes, tail) if successes < total else 1.0
    return low, high


def paired_gain_ci95(wins: int, losses: int, tasks: int) -> Interval:
    """Exact interval of a paired difference of two rates, within [-1, 1]: at least 95 % coverage for any number of tasks.

    Of `tasks`, `wins` succeed only with the first policy and `losses` only with the second; the others say nothing of the
    difference. It is (share of tasks in which the two differ) x (2 x share of wins among these - 1). Given how many differ, the
    wins are binomial, as in McNemar's exact test (McNemar, Psychometrika 12 (1947) 153, https://doi.org/10.1007/BF02295996;
    Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014) 2850, https://doi.org/10.1002/sim.6148). The second factor alone
    decides on the sign, so it gets a Clopper-Pearson interval of 95.5 % and the first one of 99.5 %: both hold at once with 95 %
    (Bonferroni), and a gain is proven nearly as soon as by the exact test of 95 %. Six wins without a loss are the fewest that prove
    one; resampling would call a single one certain. Raises `ValueError` for counts that do not fit.
    """
    if min(wins, losses) < 0 or wins + losses > tasks:
        raise ValueError(f"{wins} wins and {losses} losses do not fit into {tasks} tasks")
    least, most = clopper_pearson(wins + losses, tasks, 1 - RATE_ERROR)
    low, high = (2 * share - 1 for share in clopper_pearson(wins, wins + losses, 1 - SIGN_ERROR))
    # A product of two intervals: a bound below zero lies farthest where most tasks differ, one above zero where fewest do.
    return low * (least if low > 0 else most), high * (most if high > 0 else least)


def _rate_of_tail(total: int, least: int, tail: float) -> float:
    """The rate at which `least` or more successes of `total` have probability `tail`; by bisection, since it rises with the rate."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _upper_tail(total, least, middle) < tail:
            low = middle
        else:
            high = middle
    return low


def _upper_tail(total: int, least: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return rate
    # In logarithms: the binomial coefficients of a thousand trials are no floats.
    odds, whole = log(rate), lgamma(total + 1)
    return sum(exp(whole - lgamma(k + 1) - lgamma(total - k + 1) + k * odds + (total - k) * log1p(-rate)) for k in range(least, total + 1))


def pooled_rate_ci95(rates: Sequence[float], trials: int) -> Interval:
    """Score interval of the mean of several runs' rates, each of `trials` trials: Wilson's interval of the pooled counts.

    Runs that differ more than chance alone makes them are no independent trials: the pooled number of trials is divided by the
    design effect, the variance between runs over the binomial one, where that is above 1 (Rao and Scott, A simple method for the
    analysis of clustered binary data, Biometrics 48 (1992) 577, https://doi.org/10.2307/2532311). Unlike an interval over runs
    alone it has a width where all runs agree. Raises `ValueError` for no runs, no trials or a rate outside [0, 1].
    """
    if not rates or trials < 1 or not all(0 <= rate <= 1 for rate in rates):
        raise ValueError(f"{list(rates)} over {trials} trials each are no rates; give rates in [0, 1] of at least one trial")
    mean = sum(rates) / len(rates)
    expected = mean * (1 - mean) / trials
    between = sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1) if len(rates) > 1 else 0.0
    total = trials * len(rates) / max(1.0, between / expected if expected else 1.0)
    return _score_interval(mean, total)


def crossed_bootstrap_ci95(table: Sequence[Sequence[float]], *, seed: int = 0, resamples: int = 1000) -> Interval:
    """Percentile interval of the mean of `table[run][sample]`, with both the runs and the samples drawn again.

    All runs are measured on the same samples, so a mean over runs does not average the samples' error away: it is resampled too.
    NaN where a run has no such sample; the mean is that of the runs' means. Owen, The pigeonhole bootstrap, Annals of Applied
    Statistics 1 (2007) 386, https://doi.org/10.1214/07-AOAS122: the error is overestimated rather than underestimated where runs
    are many; with few runs their own share is underestimated by (runs - 1) / runs. Raises `ValueError` for a run without a sample.
    """
    import numpy as np

    values = np.asarray(table, dtype=np.float64)
    present = ~np.isnan(values)
    if values.ndim != 2 or not len(values) or not present.any(axis=1).all():
        raise ValueError(f"a table of the shape {values.shape} with a run that has no sample; every run needs at least one")
    draw = np.random.default_rng(seed)
    runs, samples = values.shape
    filled = np.where(present, values, 0.0)
    means = []
    for _ in range(resamples):
        # One draw of samples for all runs: they were measured on the same ones, and so err together.
        weights = np.bincount(draw.integers(samples, size=samples), minlength=samples).astype(np.float64)
        drawn = np.asarray(draw.integers(runs, size=runs))
        counts = np.asarray(present @ weights)
        known = drawn[counts[drawn] > 0]
        if len(known):
            means.append(float(((filled @ weights)[known] / counts[known]).mean()))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
