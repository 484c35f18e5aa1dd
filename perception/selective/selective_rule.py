"""A threshold on confidence that keeps a promised error rate among what is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log, log1p

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
    samples: int = 0
    """Calibration samples."""
    failures: int = 0
    """Wrong ones among them."""


def selective_rule(confidence: NDArray[np.floating], correct: NDArray[np.bool_], *, risk: float, delta: float = 0.05) -> SelectiveRule:
    """The rule with the largest coverage found whose error rate among the accepted is at most `risk`, with probability `1 - delta`.

    Selective classification with a guarantee (Geifman & El-Yaniv 2017, https://arxiv.org/abs/1705.08500) by fixed-sequence tests
    (https://arxiv.org/abs/2110.01052: Angelopoulos et al. 2021, "Learn
    then Test"): from each of a few coverages, the whole, its half, its quarter, ... of the samples `(n,)`, the rule accepts more
    as long as an exact binomial bound allows, with `delta` shared out equally among these starts. It holds for any score and any
    distribution as long as calibration and later samples come from the same one.
    Raises `ValueError` for no samples, lengths that differ, NaN, and for `risk` or `delta` outside (0, 1).
    """
    scores, wrong = np.asarray(confidence, dtype=np.float64), ~np.asarray(correct, dtype=bool)
    if len(scores) != len(wrong) or not len(wrong) or np.isnan(scores).any():
        raise ValueError(f"{len(scores)} confidences and {len(wrong)} outcomes; one of each a sample, and no NaN, are needed")
    if not 0 < risk < 1 or not 0 < delta < 1:
        raise ValueError(f"risk {risk} and delta {delta} must lie in (0, 1)")
    order = np.argsort(-scores, kind="stable")
    counts = np.append(np.flatnonzero(np.diff(scores[order])) + 1, len(scores))  # all of a tie are accepted, or none
    errors = np.cumsum(wrong[order])[counts - 1]
    starts = _starts(len(scores), risk, delta)
    bounds = binomial_upper_bounds(errors, counts, delta / max(1, len(starts)))
    best = -1
    for start in starts:
        first = int(np.searchsorted(counts, start))
        failed = np.flatnonzero(bounds[first:] > risk)
        best = max(best, first + (int(failed[0]) if len(failed) else len(counts) - first) - 1 if bounds[first] <= risk else -1)
    if best < 0:
        return SelectiveRule(threshold=inf, coverage=0.0, risk=0.0, risk_bound=0.0, samples=len(wrong), failures=int(wrong.sum()))
    accepted, failures = int(counts[best]), int(errors[best])
    return SelectiveRule(
        threshold=float(scores[order[accepted - 1]]),
        coverage=accepted / len(scores),
        risk=failures / accepted,
        risk_bound=float(bounds[best]),
        samples=len(wrong),
        failures=int(wrong.sum()),
    )


def fewest_faultless(risk: float, delta: float) -> int:
    """How many calibration samples, all of them right, prove a risk: the least n with `(1 - risk)^n <= delta` (59 for 5 % at 95 %)."""
    return ceil(log(delta) / log1p(-risk))


def why_nothing_is_accepted(samples: int, failures: int, *, risk: float, delta: float = 0.05) -> str:
    """What is missing for a rule that accepts anything, in words."""
    least, promise = fewest_faultless(risk, delta), f"an error rate of at most {risk:.3g} with probability {1 - delta:.3g}"
    if samples - failures < least:
        return f"{promise} needs {least} faultless outcomes, and there are {samples}, {failures} of them failures"
    return f"{failures} of {samples} outcomes are failures that no score sets apart, too many for {promise}"


def acceptance_reason(known: bool, accepted: bool, chance: float, rule: SelectiveRule | None, risk: float) -> str:
    """Whether a task is accepted and why, and what is missing where nothing can be accepted."""
    if not known:
        return "not accepted, since it is unknown"
    if rule is None or rule.threshold == inf:
        samples, failures = (rule.samples, rule.failures) if rule else (0, 0)
        return f"not accepted: {why_nothing_is_accepted(samples, failures, risk=risk)}"
    return f"{'accepted' if accepted else 'not accepted'}: chance of success {chance:.2f}, threshold {rule.threshold:.2f}"


def _starts(count: int, risk: float, delta: float) -> list[int]:
    """`count`, its half, its quarter, ..., down to the fewest samples that could pass without an error."""
    starts: list[int] = []
    size = count
    while size and (1 - risk) ** size <= delta / (len(starts) + 1):
        starts.append(size)
        size //= 2
    return starts


def binomial_upper_bounds(errors: NDArray[np.integer], counts: NDArray[np.integer], delta: float) -> NDArray[np.float64]:
    """`binomial_upper_bound` of every pair."""
    from scipy.special import betaincinv

    all_wrong = errors >= counts
    bounds = betaincinv(errors + 1, np.where(all_wrong, 1, counts - errors), 1 - delta)
    return np.asarray(np.where(all_wrong, 1.0, bounds), dtype=np.float64)


def binomial_upper_bound(errors: int, count: int, delta: float) -> float:
    """The largest rate at which `errors` or fewer of `count` are no rarer than `delta` (Clopper & Pearson 1934).

    >>> round(binomial_upper_bound(0, 10, 0.05), 4) == round(1 - 0.05 ** (1 / 10), 4)
    True
    """
    return float(binomial_upper_bounds(np.array([errors]), np.array([count]), delta)[0])
