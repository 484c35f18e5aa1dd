"""The recogniser that waking asks, on real sentences: skills come one task at a time, in a drawn order, as they do in use."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....core import Verdict
from ....metrics.detection import auroc, fpr_at_95_id_tpr
from ....perception import ClassMeanNovelty, NearestNeighbourNovelty, Recogniser, RelativeMahalanobisNovelty
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import Texts, banking77, clinc150
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .own_scorers import novelty_sign, wanted_scorers

QUANTILE = 0.95
"""The promise: so many of the known tasks are called known."""
TESTED = 1500
"""Known and unknown test texts that are judged, drawn where there are more."""
OURS = "lifelong_wake"
BASELINES = {
    "nearest_neighbour": NearestNeighbourNovelty,
    "class_mean": ClassMeanNovelty,
    "relative_mahalanobis": RelativeMahalanobisNovelty,
}


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """CLINC150 against its out-of-scope queries, and BANKING77 with a quarter of its intents unknown (another quarter a seed)."""
    tested = 200 if quick else TESTED
    clinc, banking = (
        partial(_clinc, data=data, tested=tested, quick=quick, only=only),
        partial(_banking, data=data, tested=tested, only=only),
    )
    rows = seeded_rows("clinc150, as deployed", clinc, seeds, tested, only=only)
    return rows if quick else rows + seeded_rows("banking77, as deployed", banking, seeds, tested, only=only)


def _clinc(seed: int, *, data: Path, tested: int, quick: bool, only: RowFilter) -> Metrics:
    source, draw = clinc150(data), np.random.default_rng(seed)
    classes = draw.permutation(150)[: 20 if quick else 150]
    known, test = (part.subset(np.isin(part.labels, classes)) for part in (source.train, source.test))
    return _figures(_drawn(known, len(known), draw), _drawn(test, tested, draw), _drawn(source.outliers_test, tested, draw), only)


def _banking(seed: int, *, data: Path, tested: int, only: RowFilter) -> Metrics:
    source, draw = banking77(data), np.random.default_rng(seed)
    classes = draw.permutation(77)[:58]
    known = source.train.subset(np.isin(source.train.labels, classes))
    inside = np.isin(source.test.labels, classes)
    return _figures(
        _drawn(known, len(known), draw),
        _drawn(source.test.subset(inside), tested, draw),
        _drawn(source.test.subset(~inside), tested, draw),
        only,
    )


def _drawn(texts: Texts, count: int, draw: np.random.Generator) -> Texts:
    return texts.subset(draw.permutation(len(texts))[:count])


def _figures(train: Texts, known: Texts, unknown: Texts, only: RowFilter) -> Metrics:
    figures = _recognised(train, known, unknown) if only.wants_method(OURS) else {}
    unread = np.zeros((len(train), 1), dtype=np.float32)
    for name, scorer in wanted_scorers(BASELINES, only, (OURS,)).items():
        fitted = scorer().fit(train.vectors, unread, train.labels)
        scores = [
            novelty_sign(fitted) * fitted.score(part.vectors, np.zeros((len(part), 1), dtype=np.float32)) for part in (known, unknown)
        ]
        figures |= _rejection(name, *scores)
    return figures


def _recognised(train: Texts, known: Texts, unknown: Texts) -> dict[tuple[str, str], float]:
    recogniser = Recogniser(quantile=QUANTILE)
    recogniser.fit(train.vectors, [str(label) for label in train.labels])
    inside, outside = ([recogniser.judge(vector) for vector in part.vectors] for part in (known, unknown))
    figures = _rejection(OURS, _novelties(inside), _novelties(outside))
    figures[OURS, "known_share_of_known"] = float(np.mean([verdict.known for verdict in inside]))
    figures[OURS, "known_share_of_out_of_scope"] = float(np.mean([verdict.known for verdict in outside]))
    figures[OURS, "accuracy"] = float(np.mean([int(v.skill) == label for v, label in zip(inside, known.labels, strict=True)]))
    return figures


def _novelties(verdicts: Iterable[Verdict]) -> NDArray[np.float32]:
    return np.array([verdict.novelty for verdict in verdicts], dtype=np.float32)


def _rejection(method: str, inside: NDArray[np.float32], outside: NDArray[np.float32]) -> dict[tuple[str, str], float]:
    return {
        (method, "ood_auroc"): auroc(-inside, -outside),
        (method, "fpr_at_95_id_tpr"): fpr_at_95_id_tpr(-inside, -outside),
    }
