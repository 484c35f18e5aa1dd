"""Open-intent classification: name the intent, or say that it is none of the known ones (the TEXTOIR protocol).

A quarter, half or three quarters of the intents are known, drawn by the seed; all others, and CLINC150's out-of-scope queries,
are one class more in the test. Accuracy is over all test texts, macro-F1 over the known classes and the open one. Every method
gets its threshold the same way and from known validation texts alone: one tenth of them is called unknown. Recogniser and classifier
have seen no unknown intent and no out-of-scope query: they learn to weigh their evidence on known intents held out of the training texts.

Unlike TEXTOIR's tables: other random draws, 1 000 instead of 1 200 out-of-scope rows, and BANKING77's validation split is a
tenth of its training rows, drawn by the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....core import Verdict
from ....metrics.detection import macro_f1
from ....perception import conformal_quantile
from ...data.seeded import Measurement, Measurements, Rate, seeded_rows
from ...data.texts import TWO_VIEWS, TextData, Texts, banking77, clinc150, two_views
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .classifiers import OpenSetSplit, fitted_classifier, linear_head, logistic, partial_split, subset_split, with_two_views
from .wake import after_a_sleep, judged, recogniser

OURS = ("lifelong", "lifelong_asleep")
KNOWN_SHARES = (0.25, 0.5, 0.75)
UNKNOWN_RATE = 0.1
"""Share of known validation texts that the threshold calls unknown."""
BASELINES = ("msp", "entropy", "energy", "relative_mahalanobis", "knn1", "msp+knn1")
LOGISTIC = ("logistic_msp", "logistic_entropy", "logistic_energy")
"""Plain scores over the linear head, and over logistic regression; each on the sentence vectors, and on both views of a text."""
MEMBERS = 3
ROUNDS = {"banking77": 4, "clinc150": 2}
"""How often known intents are held out; fewer where there are more texts to learn from."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets at every share over every seed; one share when quick."""
    if not only.wants_any(
        (*OURS, "selective_classifier", *(f"{name}{suffix}" for name in (*BASELINES, *LOGISTIC) for suffix in ("", TWO_VIEWS)))
    ):
        return []
    clinc = clinc150(data)
    rows: list[Row] = []
    for name, texts in (("banking77", banking77(data)), ("clinc150", clinc)):
        for share in KNOWN_SHARES[-1:] if quick else KNOWN_SHARES:
            case = f"{name}, open intents, {share:.0%} known"
            measure = _Measure(texts, share, clinc.sentences, ROUNDS[name], quick, only)
            rows += seeded_rows(case, measure, seeds, len(texts.test) + len(texts.outliers_test), only=only)
    return rows


class _Measure:
    """Figures of one seed, of the wanted methods."""

    def __init__(self, data: TextData, share: float, sentences: Texts, rounds: int, quick: bool, only: RowFilter) -> None:
        self.data, self.share, self.sentences, self.rounds, self.quick, self.only = data, share, sentences, rounds, quick, only

    def __call__(self, seed: int) -> Measurements:
        split = partial_split(self.data, self.share, seed, self.sentences)
        split = subset_split(split) if self.quick else split
        figures = _asked(split, seed, self.only) if self.only.wants_any(OURS) else {}
        if self.only.wants_method("selective_classifier"):
            figures |= _classified(split, seed, self.rounds, self.quick)
        for suffix, seen in (("", split), (TWO_VIEWS, with_two_views(split))):
            heads = ((partial(linear_head, seen, seed, self.quick), BASELINES), (partial(logistic, seen), LOGISTIC))
            for fit, methods in heads:
                wanted = [method for method in methods if self.only.wants_method(f"{method}{suffix}")]
                if not wanted:
                    continue
                answer = fit()
                held, inside, outside = (answer(texts) for texts in (seen.validation, seen.test, seen.unknown))
                for method in wanted:
                    bound = conformal_quantile(-held.confidences[method], 1 - UNKNOWN_RATE)
                    named = ((one.labels, -one.confidences[method] > bound) for one in (inside, outside))
                    figures |= _figures(f"{method}{suffix}", split, *named)
        return figures


def _asked(split: OpenSetSplit, seed: int, only: RowFilter) -> dict[tuple[str, str], Measurement]:
    """What the recogniser that waking asks says, once it has learned the training texts, and with the refit of a sleep."""
    asked = recogniser(split.train, seed)
    held, *seen = (judged(asked, texts) for texts in (split.validation, split.test, split.unknown))
    bound = conformal_quantile(np.array([verdict.novelty for verdict in held]), 1 - UNKNOWN_RATE)
    figures: dict[tuple[str, str], Measurement] = {}
    for method in filter(only.wants_method, OURS):
        if method == "lifelong_asleep":
            asleep = after_a_sleep(split.train, seed)
            seen = [asleep(verdicts, texts) for verdicts, texts in zip(seen, (split.test, split.unknown), strict=True)]
        figures |= _figures(method, split, *(_named(verdicts, bound) for verdicts in seen))
    return figures


def _named(verdicts: Sequence[Verdict], bound: float) -> Named:
    labels = np.array([int(verdict.skill) for verdict in verdicts], dtype=np.int64)
    return labels, np.array([verdict.novelty for verdict in verdicts]) > bound


def _classified(split: OpenSetSplit, seed: int, rounds: int, quick: bool) -> dict[tuple[str, str], Measurement]:
    classifier = fitted_classifier(split, seed, members=MEMBERS, rounds=rounds, rejection_rate=UNKNOWN_RATE, quick=quick)
    # All validation texts may calibrate: novelty was weighed on held-out training texts, not on them.
    threshold = classifier.recalibrate(two_views(split.validation), split.validation.labels).threshold
    known, unknown = classifier.judge(two_views(split.test)), classifier.judge(two_views(split.unknown))
    return _figures("selective_classifier", split, (known.labels, known.novelty > threshold), (unknown.labels, unknown.novelty > threshold))


Named = tuple[NDArray[np.int64], NDArray[np.bool_]]
"""Classes named, and whether they are called unknown instead."""


def _figures(method: str, split: OpenSetSplit, known: Named, unknown: Named) -> dict[tuple[str, str], Measurement]:
    other = int(split.train.labels.max()) + 1
    said = np.concatenate([np.where(strange, other, labels) for labels, strange in (known, unknown)])
    truth = np.concatenate([split.test.labels, np.full(len(split.unknown), other)])
    figures: dict[str, Measurement] = {"open_accuracy": Rate.of(said == truth), "open_macro_f1": macro_f1(truth, said)}
    return {(method, metric): value for metric, value in figures.items()}
