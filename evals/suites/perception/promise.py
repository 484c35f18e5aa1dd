"""Are promises kept? Asked rates against realised ones over random splits of CLINC150's test queries of known intents.

The classifier is fitted once a seed, on training and validation queries. Its scores of the 4 500 test queries are split a hundred
times into halves: one sets the thresholds, the other is counted. The share of known queries called unknown should on average
not pass the target rate (split conformal prediction promises the mean over splits), and not the exact bound for two finite
halves in more than one split of twenty. The error rate among the accepted should pass the target risk in no more than a share
delta of the splits. `plug_in` sets the same thresholds as if the calibration half were the truth: the empirical quantile, and
the largest coverage whose empirical risk is the target.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....perception import SelectiveScores
from ....perception.experimental.classifier.selective_classifier import promise_of
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import two_views
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .classifiers import classifier_on_clinc150

SPLITS = 100
UNKNOWN_RATES = (0.01, 0.05, 0.1, 0.2)
RISKS = (0.005, 0.01, 0.02)
DELTA = 0.05


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every target rate over every seed."""
    targets = [("out-of-scope rate", rate) for rate in UNKNOWN_RATES] + [("risk", risk) for risk in RISKS]
    targets = [(kind, rate) for kind, rate in targets if only.wants_case(f"clinc150, promised {kind} {rate:g}")]
    if not targets or not only.wants_any(("selective_classifier", "plug_in")):
        return []
    measured = [_measure(data, seed, quick) for seed in range(seeds)]
    rows: list[Row] = []
    for kind, rate in targets:
        rows += seeded_rows(f"clinc150, promised {kind} {rate:g}", lambda seed, key=(kind, rate): measured[seed][key], seeds, SPLITS)  # type: ignore[misc]
    return rows


def _measure(data: Path, seed: int, quick: bool) -> dict[tuple[str, float], Metrics]:
    split, classifier = classifier_on_clinc150(data, seed, quick)
    scores, right = classifier.judge(two_views(split.test)), split.test.labels
    draw = np.random.default_rng(seed)
    halves = [np.array_split(draw.permutation(len(right)), 2) for _ in range(SPLITS)]
    figures: dict[tuple[str, float], Metrics] = {}
    for rate in UNKNOWN_RATES:
        ours = [_rejected(scores, right, half, rate, conformal=True) for half in halves]
        plain = [_rejected(scores, right, half, rate, conformal=False) for half in halves]
        bound = _bound(rate, *(len(places) for places in halves[0]))
        figures["out-of-scope rate", rate] = {
            (method, metric): value
            for method, rates in (("selective_classifier", ours), ("plug_in", plain))
            for metric, value in (
                ("realised_out_of_scope_rate", float(np.mean(rates))),
                ("splits_above_bound", float(np.mean(np.array(rates) > bound))),
                ("bound", bound),
                ("asked_rate", rate),
            )
        }
    for risk in RISKS:
        kept = {
            "selective_classifier": [_risk(scores, right, half, risk, proven=True) for half in halves],
            "plug_in": [_risk(scores, right, half, risk, proven=False) for half in halves],
        }
        figures["risk", risk] = {
            (method, metric): value
            for method, pairs in kept.items()
            for metric, value in (
                ("realised_risk", float(np.mean([pair[0] for pair in pairs]))),
                ("splits_above_asked_risk", float(np.mean([pair[0] > risk for pair in pairs]))),
                ("coverage", float(np.mean([pair[1] for pair in pairs]))),
                ("asked_rate", risk),
            )
        }
    return figures


Half = list[NDArray[np.int64]]
"""Places that calibrate, and places that are counted."""


def _bound(rate: float, calibrated: int, counted: int) -> float:
    """What the share called unknown of the counted half passes in one split of twenty at most, for any distribution.

    Above the k-th smallest of n scores lie, of m further ones, a number that is beta-binomial with `n + 1 - k` and `k`.
    """
    from scipy.stats import betabinom

    rank = min(calibrated, ceil((calibrated + 1) * (1 - rate)))
    return float(betabinom.ppf(0.95, counted, calibrated + 1 - rank, rank) / counted)


def _rejected(scores: SelectiveScores, labels: NDArray[np.int64], half: Half, rate: float, *, conformal: bool) -> float:
    """Share of the counted half that is called unknown."""
    calibrate, count = half
    if conformal:
        threshold = promise_of(_of(scores, calibrate), labels[calibrate], rejection_rate=rate, risk=0.5, delta=DELTA).threshold
    else:
        threshold = float(np.quantile(scores.novelty[calibrate], 1 - rate))
    return float((scores.novelty[count] > threshold).mean())


def _risk(scores: SelectiveScores, labels: NDArray[np.int64], half: Half, risk: float, *, proven: bool) -> tuple[float, float]:
    """Risk and coverage on the counted half; no risk where nothing is accepted."""
    calibrate, count = half
    some = _of(scores, calibrate)
    if proven:
        threshold = promise_of(some, labels[calibrate], rejection_rate=0.5, risk=risk, delta=DELTA).rule.threshold
    else:
        order = np.argsort(-some.confidence, kind="stable")
        risks = np.cumsum((some.labels != labels[calibrate])[order]) / np.arange(1, len(order) + 1)
        fine = np.flatnonzero(risks <= risk)
        threshold = float(some.confidence[order[fine[-1]]]) if len(fine) else np.inf
    accepted = scores.confidence[count] >= threshold
    wrong = scores.labels[count] != labels[count]
    return (float(wrong[accepted].mean()) if accepted.any() else 0.0), float(accepted.mean())


def _of(scores: SelectiveScores, places: NDArray[np.int64]) -> SelectiveScores:
    return SelectiveScores(labels=scores.labels[places], failure=scores.failure[places], novelty=scores.novelty[places])
