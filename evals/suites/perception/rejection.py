"""What is unknown, what will fail, and both at once, on CLINC150 and on BANKING77: ours against every plain score.

`lifelong` is the recogniser that waking asks, fitted on training texts alone, `lifelong_asleep` the same after a night has refitted
the head that names skills; `selective_classifier` is the laboratory's classifier.

On CLINC150 all 150 intents are known and the official out-of-scope queries are unknown; on BANKING77 three quarters of the
intents are known, drawn by the seed, and the others are unknown, of the same bank and so near. Nothing is chosen on test
texts: the classifier learns how to weigh its evidence on the validation split and its outliers (CLINC150) or on known intents that
it holds out of the training texts (BANKING77); the sums of plain scores are standardised on validation. The heads' epochs,
width and learning rate are those of `ClassifierRecipe` and `HeadEnsemble` everywhere, and the seed sets their weights and order.

Every baseline is fitted twice: on the sentence vectors, and (`_two_views`) on the two views of a text that ours reads.

Rows of a plain score rank failures among the known by it, and both kinds of error together ("unified"): a classifier has a score for
each, a plain score has itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....core import Verdict
from ....metrics.detection import accepted_at_95_id_tpr, auroc, failure_aurc, unified_aurc
from ....numerics.arrays import AnyFloats
from ....perception import SelectiveClassifier
from ...data.seeded import Measurement, Measurements, Rate, seeded_rows
from ...data.texts import TWO_VIEWS, Texts, banking77, clinc150, two_views
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .classifiers import (
    MEMBERS,
    SCORERS,
    SUMS,
    Answers,
    OpenSetSplit,
    classifier_on_clinc150,
    fitted_classifier,
    full_split,
    head_ensemble,
    linear_head,
    logistic,
    partial_split,
    subset_split,
    with_two_views,
)
from .wake import after_a_sleep, confidences, judged, recogniser

SHARE = 0.75
"""Share of BANKING77's intents that are known."""
OURS = ("lifelong", "lifelong_asleep")
ROUNDS = 4
UNKNOWN_RATE = 0.05


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets over every seed."""
    clinc, bank = clinc150(data), banking77(data)

    def on_clinc(seed: int) -> Measurements:
        split = subset_split(full_split(clinc)) if quick else full_split(clinc)
        return measured(split, lambda: classifier_on_clinc150(data, seed, quick)[1], seed, quick, only)

    def on_bank(seed: int) -> Measurements:
        split = partial_split(bank, SHARE, seed, clinc.sentences)
        split = subset_split(split) if quick else split
        fit = partial(fitted_classifier, split, seed, members=MEMBERS, rounds=ROUNDS, rejection_rate=UNKNOWN_RATE, quick=quick)
        return measured(split, fit, seed, quick, only)

    return [
        *seeded_rows("clinc150, out of scope", on_clinc, seeds, len(clinc.test) + len(clinc.outliers_test), only=only),
        *seeded_rows("banking77, intents held out", on_bank, seeds, len(bank.test), only=only),
    ]


def measured(split: OpenSetSplit, fit: Callable[[], SelectiveClassifier], seed: int, quick: bool, only: RowFilter) -> Measurements:
    """What the classifier and every wanted baseline reach on a split; without unknown texts nothing is said of rejecting them."""
    figures: dict[tuple[str, str], Measurement] = _recognised(split, seed, only) if only.wants_any(OURS) else {}
    figures |= _classified(split, fit()) if only.wants_method("selective_classifier") else {}
    for suffix, seen in (("", split), (TWO_VIEWS, with_two_views(split))):
        for baseline in _baselines(seen, seed, quick, only, suffix):
            inside = baseline(seen.test)
            outside = baseline(seen.unknown) if len(seen.unknown) else None
            right = inside.labels == seen.test.labels
            for name, known in inside.confidences.items():
                method = f"{name}{suffix}"
                if only.wants_method(method):
                    figures |= {(method, "accuracy"): Rate.of(right), **_failure(method, known, right)}
                    if outside is not None:
                        figures |= _rejection(method, known, outside.confidences[name])
                        figures |= _unified(method, known, right, outside.confidences[name])
    return figures


def _baselines(split: OpenSetSplit, seed: int, quick: bool, only: RowFilter, suffix: str) -> Iterator[Callable[[Texts], Answers]]:
    """What is fitted for the methods that are wanted; a method that no table has is somebody's own scorer."""
    heads = {name: [f"{name}_{score}" for score in ("msp", "entropy", "energy")] for name in ("logistic", "mlp", "openmix")}
    plain = [*SCORERS, *SUMS, *(name for names in heads.values() for name in names)]
    own = [] if suffix else only.own("scorers", (*OURS, "selective_classifier", *plain, *(f"{name}{TWO_VIEWS}" for name in plain)))
    wanted = {name: only.wants_any([f"{one}{suffix}" for one in names]) for name, names in heads.items()}
    if only.wants_any([f"{one}{suffix}" for one in (*SCORERS, *SUMS)]) or own:
        yield linear_head(split, seed, quick, own=own)
    if wanted["logistic"]:
        yield logistic(split)
    if wanted["mlp"]:
        yield head_ensemble(split, seed, "mlp", members=MEMBERS, outliers=False, quick=quick)
    if wanted["openmix"] and len(split.outliers):
        yield head_ensemble(split, seed, "openmix", members=1, outliers=True, quick=quick)


def _recognised(split: OpenSetSplit, seed: int, only: RowFilter) -> dict[tuple[str, str], Measurement]:
    """The recogniser that waking asks, once it has learned the training texts, and with the refit of a sleep; it sees nothing else."""
    asked = recogniser(split.train, seed)
    inside, outside = judged(asked, split.test), judged(asked, split.unknown) if len(split.unknown) else []
    figures = _judged("lifelong", split.test, inside, outside) if only.wants_method("lifelong") else {}
    if only.wants_method("lifelong_asleep"):
        asleep = after_a_sleep(split.train, seed)
        figures |= _judged("lifelong_asleep", split.test, asleep(inside, split.test), asleep(outside, split.unknown))
    return figures


def _judged(method: str, test: Texts, known: list[Verdict], unknown: list[Verdict]) -> dict[tuple[str, str], Measurement]:
    right = np.array([int(verdict.skill) == label for verdict, label in zip(known, test.labels, strict=True)], dtype=bool)
    figures: dict[tuple[str, str], Measurement] = {(method, "accuracy"): Rate.of(right)}
    figures |= _failure(method, np.array([verdict.confidence for verdict in known]), right)
    if unknown:
        figures |= _rejection(method, *(-np.array([verdict.novelty for verdict in part]) for part in (known, unknown)))
        figures |= _unified(method, confidences(known), right, confidences(unknown))
    return figures


def _classified(split: OpenSetSplit, classifier: SelectiveClassifier) -> dict[tuple[str, str], Measurement]:
    known = classifier.judge(two_views(split.test))
    right = known.labels == split.test.labels
    figures: dict[tuple[str, str], Measurement] = {
        ("selective_classifier", "accuracy"): Rate.of(right),
        **_failure("selective_classifier", -known.failure, right),
    }
    if len(split.unknown):
        unknown = classifier.judge(two_views(split.unknown))
        figures |= _rejection("selective_classifier", -known.novelty, -unknown.novelty)
        figures |= _unified("selective_classifier", known.confidence, right, unknown.confidence)
    return figures


def _rejection(method: str, known: AnyFloats, unknown: AnyFloats) -> dict[tuple[str, str], Measurement]:
    return {
        (method, "ood_auroc"): auroc(known, unknown),
        (method, "ood_fpr_at_95_id_tpr"): Rate.of(accepted_at_95_id_tpr(known, unknown)),
    }


def _failure(method: str, confidence: AnyFloats, right: NDArray[np.bool_]) -> dict[tuple[str, str], Measurement]:
    return {(method, "failure_aurc_x1000"): 1000 * failure_aurc(confidence, right)}


def _unified(method: str, known: AnyFloats, right: NDArray[np.bool_], unknown: AnyFloats) -> dict[tuple[str, str], Measurement]:
    return {(method, "unified_aurc_x1000"): 1000 * unified_aurc(known, right, unknown)}
