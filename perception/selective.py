"""A threshold on confidence that keeps a promised error rate among what is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log2

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class SelectiveRule:
    """Accept where the confidence reaches the threshold."""

    threshold: float
    """Least confidence that is accepted; infinite where the promise can be kept by accepting nothing only."""
    coverage: float
    """Share of the calibration samples that it accepts."""
    risk: float
    """Share of wrong ones among those; 0 where none is accepted."""
    risk_bound: float
    """The true risk lies below this with the promised probability."""


def selective_rule(confidence: NDArray[np.floating], correct: NDArray[np.bool_], *, risk: float, delta: float = 0.05) -> SelectiveRule:
    """The rule with the largest coverage found whose error rate among the accepted is at most `risk`, with probability `1 - delta`.

    Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks", algorithm 1: a binary search over the
    calibration samples `(n,)`, with an exact binomial bound at each look, and `delta` shared out equally among the looks. It
    holds for any score and any distribution as long as calibration and later samples come from the same one.
    Raises `ValueError` for no samples, lengths that differ, NaN, and for `risk` or `delta` outside (0, 1).
    """
    scores, wrong = np.asarray(confidence, dtype=np.float64), ~np.asarray(correct, dtype=bool)
    if len(scores) != len(wrong) or not len(wrong) or np.isnan(scores).any():
        raise ValueError(f"{len(scores)} confidences and {len(wrong)} outcomes; one of each a sample, and no NaN, are needed")
    if not 0 < risk < 1 or not 0 < delta < 1:
        raise ValueError(f"risk {risk} and delta {delta} must lie in (0, 1)")
    order = np.sort(scores)[::-1]
    looks = ceil(log2(len(order))) + 1
    best = SelectiveRule(threshold=inf, coverage=0.0, risk=0.0, risk_bound=0.0)
    low, high = 0, len(order)  # accepting `low` keeps the promise, accepting more than `high` was found not to
    while low < high:
        middle = (low + high + 1) // 2
        accepted = scores >= order[middle - 1]  # all of a tie, or none
        errors, count = int(wrong[accepted].sum()), int(accepted.sum())
        bound = binomial_upper_bound(errors, count, delta / looks)
        if bound <= risk:
            best = SelectiveRule(threshold=float(order[middle - 1]), coverage=count / len(order), risk=errors / count, risk_bound=bound)
            low = middle
        else:
            high = middle - 1
    return best


def binomial_upper_bound(errors: int, count: int, delta: float) -> float:
    """The largest rate at which `errors` or fewer of `count` are no rarer than `delta` (Clopper & Pearson 1934).

    >>> round(binomial_upper_bound(0, 10, 0.05), 4) == round(1 - 0.05 ** (1 / 10), 4)
    True
    """
    from scipy.special import betaincinv

    return 1.0 if errors >= count else float(betaincinv(errors + 1, count - errors, 1 - delta))
