"""One classifier against every plain score: what is unknown, what will fail, and both at once, on CLINC150 and on BANKING77.

On CLINC150 all 150 intents are known and the official out-of-scope queries are unknown; on BANKING77 three quarters of the
intents are known, drawn by the seed, and the others are unknown, of the same bank and so near. Nothing is chosen on test
texts: the classifier learns how to weigh its evidence on the validation split and its outliers (CLINC150) or on known intents that
it holds out of the training texts (BANKING77); the sums of plain scores are standardised on validation. The heads' epochs,
width and learning rate are those of `ClassifierRecipe` and `HeadEnsemble` everywhere, and the seed sets their weights and order.

Rows of a plain score rank failures among the known by it, and both kinds of error together ("unified"): a classifier has a score for
each, a plain score has itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....metrics.detection import auroc, failure_aurc, fpr_at_95_id_tpr, unified_aurc
from ....numerics.arrays import AnyFloats
from ....perception import SelectiveClassifier
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import banking77, clinc150, two_views
from ...results_file import Row
from .classifiers import (
    MEMBERS,
    OpenSetSplit,
    classifier_on_clinc150,
    fitted_classifier,
    head_ensemble,
    linear_head,
    partial_split,
    subset_split,
)

SHARE = 0.75
"""Share of BANKING77's intents that are known."""
ROUNDS = 4
UNKNOWN_RATE = 0.05


def run(*, quick: bool, seeds: int, data: Path) -> list[Row]:
    """Both data sets over every seed."""
    clinc, bank = clinc150(data), banking77(data)

    def on_clinc(seed: int) -> Metrics:
        return _measure(*classifier_on_clinc150(data, seed, quick), seed, quick)

    def on_bank(seed: int) -> Metrics:
        split = partial_split(bank, SHARE, seed, clinc.sentences)
        split = subset_split(split) if quick else split
        classifier = fitted_classifier(split, seed, members=MEMBERS, rounds=ROUNDS, rejection_rate=UNKNOWN_RATE, quick=quick)
        return _measure(split, classifier, seed, quick)

    return [
        *seeded_rows("clinc150, out of scope", on_clinc, seeds, len(clinc.test) + len(clinc.outliers_test)),
        *seeded_rows("banking77, intents held out", on_bank, seeds, len(bank.test)),
    ]


def _measure(split: OpenSetSplit, classifier: SelectiveClassifier, seed: int, quick: bool) -> Metrics:
    known, unknown = classifier.judge(two_views(split.test)), classifier.judge(two_views(split.unknown))
    right = known.labels == split.test.labels
    figures = {("lifelong", "accuracy"): float(right.mean())}
    figures |= _rejection("lifelong", -known.novelty, -unknown.novelty)
    figures |= _failure("lifelong", -known.failure, right)
    figures |= _unified("lifelong", known.confidence, right, unknown.confidence)
    for baseline in (
        linear_head(split, seed, quick),
        head_ensemble(split, seed, "mlp", members=MEMBERS, outliers=False, quick=quick),
        head_ensemble(split, seed, "openmix", members=1, outliers=True, quick=quick),
    ):
        inside, outside = baseline(split.test), baseline(split.unknown)
        right = inside.labels == split.test.labels
        for method, confidence in inside.confidences.items():
            figures[method, "accuracy"] = float(right.mean())
            figures |= _rejection(method, confidence, outside.confidences[method])
            figures |= _failure(method, confidence, right)
            figures |= _unified(method, confidence, right, outside.confidences[method])
    return figures


def _rejection(method: str, known: AnyFloats, unknown: AnyFloats) -> dict[tuple[str, str], float]:
    return {(method, "ood_auroc"): auroc(known, unknown), (method, "ood_fpr_at_95_id_tpr"): fpr_at_95_id_tpr(known, unknown)}


def _failure(method: str, confidence: AnyFloats, right: NDArray[np.bool_]) -> dict[tuple[str, str], float]:
    return {(method, "failure_aurc_x1000"): 1000 * failure_aurc(confidence, right)}


def _unified(method: str, known: AnyFloats, right: NDArray[np.bool_], unknown: AnyFloats) -> dict[tuple[str, str], float]:
    return {(method, "unified_aurc_x1000"): 1000 * unified_aurc(known, right, unknown)}
