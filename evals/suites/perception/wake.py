"""The recogniser that waking asks, on real sentences: what it names, what it calls unknown, and whether its chances hold.

Unknown texts are near ones (intents of the same data set that are held out), far ones (CLINC150's out-of-scope queries) or those of
another data set. The recogniser is fitted on training texts alone; it has seen no unknown text and no validation text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ....core import Verdict
from ....learners import SkillHead
from ....metrics.detection import accepted_at_95_id_tpr, auroc, expected_calibration_error, failure_aurc, unified_aurc
from ....numerics.arrays import AnyFloats
from ....orchestrator.skill_heads import with_refit
from ....perception import ClassMeanNovelty, NearestNeighbourNovelty, Recogniser, RelativeMahalanobisNovelty
from ...data.seeded import Measurement, Measurements, Rate, seeded_rows
from ...data.texts import HASHED, TWO_VIEWS, Texts, banking77, clinc150, sample_per_class, two_views
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .own_scorers import novelty_sign, wanted_scorers

QUANTILE = 0.95
"""The promise: so many of the known tasks are called known."""
TESTED = 1500
"""Known and unknown test texts that are judged, drawn where there are more."""
FEW = 30
"""Tasks of a skill where they are few."""
OURS = "lifelong"
BASELINES = {
    "nearest_neighbour": NearestNeighbourNovelty,
    "class_mean": ClassMeanNovelty,
    "relative_mahalanobis": RelativeMahalanobisNovelty,
}
"""Each also reads both views, as ours does: its name then ends in `_two_views`."""

Draw = Callable[[int], tuple[Texts, Texts, Texts]]
"""Training texts, known and unknown test texts of a seed."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every case over every seed; the first one alone when quick."""
    rows: list[Row] = []
    cases = _cases(data, quick)
    for case in list(cases)[: 1 if quick else None]:
        if only.wants_case(case):
            measure = partial(_measure, draw=cases[case], tested=200 if quick else TESTED, only=only)
            rows += seeded_rows(case, measure, seeds, 200 if quick else TESTED, only=only)
    return rows


def _cases(data: Path, quick: bool) -> Mapping[str, Draw]:
    return {
        "clinc150, as deployed": partial(_clinc, data=data, classes=20 if quick else 150),
        "banking77, as deployed": partial(_banking, data=data, classes=58),
        "banking77, half of the intents known": partial(_banking, data=data, classes=38),
        f"banking77, half of the intents known by {FEW} tasks": partial(_banking, data=data, classes=38, per_class=FEW),
        "clinc150, half of the intents known": partial(_clinc_half, data=data),
        "clinc150 against banking77": partial(_other, data=data, known="clinc150"),
        "banking77 against clinc150": partial(_other, data=data, known="banking77"),
    }


def _clinc(seed: int, *, data: Path, classes: int) -> tuple[Texts, Texts, Texts]:
    source = clinc150(data)
    chosen = np.random.default_rng(seed).permutation(150)[:classes]
    known, test = (part.subset(np.isin(part.labels, chosen)) for part in (source.train, source.test))
    return known, test, source.outliers_test


def _clinc_half(seed: int, *, data: Path) -> tuple[Texts, Texts, Texts]:
    source = clinc150(data)
    chosen = np.random.default_rng(seed).permutation(150)[:75]
    inside = np.isin(source.test.labels, chosen)
    return source.train.subset(np.isin(source.train.labels, chosen)), source.test.subset(inside), source.test.subset(~inside)


def _banking(seed: int, *, data: Path, classes: int, per_class: int | None = None) -> tuple[Texts, Texts, Texts]:
    source = banking77(data)
    chosen = np.random.default_rng(seed).permutation(77)[:classes]
    known, inside = source.train.subset(np.isin(source.train.labels, chosen)), np.isin(source.test.labels, chosen)
    known = known if per_class is None else sample_per_class(known, per_class, seed)
    return known, source.test.subset(inside), source.test.subset(~inside)


def _other(seed: int, *, data: Path, known: str) -> tuple[Texts, Texts, Texts]:
    """One data set known and the other one unknown: both know a few intents of a bank, so that some of it is known after all."""
    first, second = clinc150(data), banking77(data)
    own, other = (first, second) if known == "clinc150" else (second, first)
    return own.train, own.test, other.test


def _drawn(texts: Texts, count: int, draw: np.random.Generator) -> Texts:
    return texts.subset(draw.permutation(len(texts))[:count])


def _measure(seed: int, *, draw: Draw, tested: int, only: RowFilter) -> Measurements:
    parts, order = draw(seed), np.random.default_rng([seed, 1])
    train, known, unknown = (_drawn(part, count, order) for part, count in zip(parts, (len(parts[0]), tested, tested), strict=True))
    return deployed_figures(train, known, unknown, seed, only)


def deployed_figures(train: Texts, known: Texts, unknown: Texts, seed: int, only: RowFilter) -> Measurements:
    """What the recogniser of waking and the wanted baselines reach: `lifelong` is the class that waking calls."""
    figures = _recognised(train, known, unknown, seed) if only.wants_method(OURS) else {}
    table = {**BASELINES, **{name + TWO_VIEWS: make for name, make in BASELINES.items()}}
    for name, scorer in wanted_scorers(table, only, (OURS,)).items():
        views = two_views if name.endswith(TWO_VIEWS) else _sentence_vectors
        fitted = scorer().fit(views(train), np.zeros((len(train), 1), dtype=np.float32), train.labels)
        scores = [novelty_sign(fitted) * fitted.score(views(part), np.zeros((len(part), 1), dtype=np.float32)) for part in (known, unknown)]
        figures |= _rejection(name, *scores)
    return figures


def recogniser(train: Texts, seed: int) -> Recogniser:
    """What waking asks, as `Perceiver` makes it, once it has learned training texts under their class numbers."""
    made = Recogniser(quantile=QUANTILE, seed=seed, second=HASHED)
    made.fit(two_views(train), [str(label) for label in train.labels])
    if made.missing:
        print(f"{OURS} judges by the distance to the nearest task alone: {made.missing}", file=sys.stderr)
    return made


def judged(asked: Recogniser, texts: Texts) -> list[Verdict]:
    """Its verdicts of texts."""
    return asked.judge_many(two_views(texts))


def after_a_sleep(train: Texts, seed: int) -> Callable[[Sequence[Verdict], Texts], list[Verdict]]:
    """What waking makes of verdicts on texts once a sleep has refitted the head that names skills, on the training texts."""
    head, skills = SkillHead(seed=seed), [str(label) for label in train.labels]
    head.learn(train.vectors, skills)
    head.refit(train.vectors, skills)
    return lambda verdicts, texts: [with_refit(one, head, vector) for one, vector in zip(verdicts, texts.vectors, strict=True)]


def _sentence_vectors(texts: Texts) -> AnyFloats:
    return texts.vectors


def _recognised(train: Texts, known: Texts, unknown: Texts, seed: int) -> dict[tuple[str, str], Measurement]:
    asked = recogniser(train, seed)
    inside, outside = judged(asked, known), judged(asked, unknown)
    right = np.array([int(verdict.skill) == label for verdict, label in zip(inside, known.labels, strict=True)])
    chances = [np.array([verdict.known_chance for verdict in part]) for part in (inside, outside)]
    # A stream with as many unknown tasks as known ones, as the chance assumes.
    size = min(map(len, chances))
    both = np.concatenate([part[:size] for part in chances])
    figures: dict[str, Measurement] = {
        "known_share_of_known": Rate.of(np.array([verdict.known for verdict in inside])),
        "known_share_of_out_of_scope": Rate.of(np.array([verdict.known for verdict in outside])),
        "accuracy": Rate.of(right),
        "failure_aurc_x1000": 1000 * failure_aurc(np.array([verdict.confidence for verdict in inside]), right),
        "unified_aurc_x1000": 1000 * unified_aurc(confidences(inside), right, confidences(outside)),
        "known_chance_calibration_error": expected_calibration_error(both, np.arange(2 * size) < size),
    }
    strange = [np.array([verdict.novelty for verdict in part]) for part in (inside, outside)]
    return _rejection(OURS, *strange) | {(OURS, metric): value for metric, value in figures.items()}


def confidences(verdicts: Iterable[Verdict]) -> AnyFloats:
    """The chance that a task is known and of the skill named `(n,)`: one score for both; by distance where no chance is calibrated yet."""
    return np.array([max(0.0, 1 - verdict.novelty) * verdict.confidence for verdict in verdicts])


def _rejection(method: str, inside: AnyFloats, outside: AnyFloats) -> dict[tuple[str, str], Measurement]:
    return {
        (method, "ood_auroc"): auroc(-inside, -outside),
        (method, "fpr_at_95_id_tpr"): Rate.of(accepted_at_95_id_tpr(-inside, -outside)),
    }
