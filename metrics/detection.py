"""How well a score separates: ranking, rejection at a fixed acceptance, risk over coverage, calibration.

Everywhere `positive` scores belong to what is to be accepted (in-distribution, or correct) and larger means accept; the
negatives are what is to be rejected. So a novelty score enters with its sign turned. Scores are `(n,)`.
"""

from __future__ import annotations

from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import AnyFloats


def auroc(positive: AnyFloats, negative: AnyFloats) -> float:
    """Chance that a positive scores above a negative, ties counting half (Mann & Whitney 1947).

    Raises `ValueError` where either is empty or holds NaN, as all functions here do.
    """
    positive, negative = _checked(positive, negative)
    below = np.searchsorted(np.sort(negative), positive, side="left")
    upto = np.searchsorted(np.sort(negative), positive, side="right")
    return float((below + upto).sum() / (2 * len(positive) * len(negative)))


def aupr_in(positive: AnyFloats, negative: AnyFloats) -> float:
    """Average precision with the accepted as the positive class: sum of precision times the recall gained, ties as one step."""
    positive, negative = _checked(positive, negative)
    levels = np.unique(positive)[::-1]
    hits = len(positive) - np.searchsorted(np.sort(positive), levels, side="left")
    alarms = len(negative) - np.searchsorted(np.sort(negative), levels, side="left")
    return float((np.diff(hits, prepend=0) * hits / (hits + alarms)).sum() / len(positive))


def aupr_out(positive: AnyFloats, negative: AnyFloats) -> float:
    """Average precision with the rejected as the positive class."""
    return aupr_in(-np.asarray(negative), -np.asarray(positive))


def fpr_at_95_id_tpr(positive: AnyFloats, negative: AnyFloats) -> float:
    """Share of the negatives accepted when at least 95 % of the positives are.

    The positive class is the accepted one; OpenOOD means the contrary by the same name.
    """
    return float(accepted_at_95_id_tpr(positive, negative).mean())


def accepted_at_95_id_tpr(positive: AnyFloats, negative: AnyFloats) -> NDArray[np.bool_]:
    """Which negatives `(n,)` are accepted when at least 95 % of the positives are."""
    positive, negative = _checked(positive, negative)
    return np.asarray(negative >= np.sort(positive)[::-1][ceil(0.95 * len(positive)) - 1])


def failure_aurc(confidence: AnyFloats, correct: NDArray[np.bool_]) -> float:
    """Mean over all coverages of the share of wrong ones among the most confident (Geifman et al. 2019), in [0, 1].

    Samples of equal confidence come in no order: each stands for the mean of their group, so that a constant score
    gives the error rate. Tables show it times 1000.
    """
    confidence, wrong = np.asarray(confidence, dtype=np.float64), ~np.asarray(correct, dtype=bool)
    if len(confidence) != len(wrong) or not len(wrong) or np.isnan(confidence).any():
        raise ValueError(f"{len(confidence)} confidences and {len(wrong)} outcomes; one of each a sample, and no NaN, are needed")
    _, groups, sizes = np.unique(-confidence, return_inverse=True, return_counts=True)
    shares = np.bincount(groups, weights=wrong) / sizes
    return float((np.cumsum(np.repeat(shares, sizes)) / np.arange(1, len(wrong) + 1)).mean())


def excess_aurc(confidence: AnyFloats, correct: NDArray[np.bool_]) -> float:
    """AURC less that of the best order at the same error rate r: `AURC - (r + (1 - r) ln(1 - r))` (Geifman et al. 2019)."""
    risk = 1 - float(np.mean(correct))
    best = risk + (1 - risk) * log(1 - risk) if risk < 1 else 1.0
    return failure_aurc(confidence, correct) - best


def unified_aurc(positive_confidence: AnyFloats, correct: NDArray[np.bool_], negative_confidence: AnyFloats) -> float:
    """AURC where accepting an out-of-scope sample is an error as well: one score for failure and novelty."""
    confidence = np.concatenate([positive_confidence, negative_confidence])
    return failure_aurc(confidence, np.concatenate([np.asarray(correct, dtype=bool), np.zeros(len(negative_confidence), dtype=bool)]))


def expected_calibration_error(confidence: AnyFloats, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean over samples of |accuracy - mean confidence| of their bin, equal bins of [0, 1] (Naeini et al. 2015)."""
    confidence, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if len(confidence) != len(right) or not len(right) or not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("calibration needs one confidence in [0, 1] an outcome and at least one")
    places = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(places, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))


def macro_f1(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    """Mean over the classes of F1, `2 hits / (true ones + said ones)`, each class that is true or said of a sample counting once.

    Raises `ValueError` for no sample and for lengths that differ.
    """
    if len(truth) != len(said) or not len(truth):
        raise ValueError(f"{len(truth)} true classes and {len(said)} said ones; one of each a sample and at least one are needed")
    classes, places = np.unique(np.concatenate([truth, said]), return_inverse=True)
    true, named = np.split(places, 2)
    hits = np.bincount(true[true == named], minlength=len(classes))
    return float((2 * hits / np.bincount(places, minlength=len(classes))).mean())


def _checked(positive: AnyFloats, negative: AnyFloats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    accepted: NDArray[np.float64] = np.asarray(positive, dtype=np.float64)
    rejected: NDArray[np.float64] = np.asarray(negative, dtype=np.float64)
    if not len(accepted) or not len(rejected) or np.isnan(accepted).any() or np.isnan(rejected).any():
        raise ValueError(f"{len(accepted)} positive and {len(rejected)} negative scores; at least one of each and no NaN are needed")
    return accepted, rejected
