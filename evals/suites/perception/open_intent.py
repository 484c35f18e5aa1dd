"""Open-intent classification: name the intent, or say that it is none of the known ones (the TEXTOIR protocol).

A quarter, half or three quarters of the intents are known, drawn by the seed; all others, and CLINC150's out-of-scope queries,
are one class more in the test. Accuracy is over all test texts, macro-F1 over the known classes and the open one. Every method
gets its threshold the same way and from known validation texts alone: one tenth of them is called foreign. The gate has seen no
foreign intent and no out-of-scope query: it learns to weigh its evidence on known intents held out of the training texts.

Unlike TEXTOIR's tables: other random draws, 1 000 instead of 1 200 out-of-scope rows, and BANKING77's validation split is a
tenth of its training rows, drawn by the seed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....metrics.detection import macro_f1
from ....perception import conformal_quantile
from ...data.seeded import Figures, seeded_rows
from ...data.texts import TextData, Texts, banking77, clinc150
from ...results_file import Row
from .classifiers import Stage, blocks, fitted_gate, linear_head, part, smaller

SHARES = (0.25, 0.5, 0.75)
FOREIGN_RATE = 0.1
"""Share of known validation texts that the threshold calls foreign."""
BASELINES = ("msp", "entropy", "energy", "relative_mahalanobis", "knn1", "msp+knn1")
MEMBERS = 3
ROUNDS = {"banking77": 4, "clinc150": 2}
"""How often known intents are held out; fewer where there are more texts to learn from."""


def run(*, quick: bool, seeds: int, data: Path) -> list[Row]:
    """Both data sets at every share over every seed; one share when quick."""
    clinc = clinc150(data)
    rows: list[Row] = []
    for name, texts in (("banking77", banking77(data)), ("clinc150", clinc)):
        for share in SHARES[-1:] if quick else SHARES:
            case = f"{name}, open intents, {share:.0%} known"
            measure = _Measure(texts, share, clinc.sentences, ROUNDS[name], quick)
            rows += seeded_rows(case, measure, seeds, len(texts.test) + len(texts.outliers_test))
    return rows


class _Measure:
    """Figures of one seed."""

    def __init__(self, data: TextData, share: float, sentences: Texts, rounds: int, quick: bool) -> None:
        self.data, self.share, self.sentences, self.rounds, self.quick = data, share, sentences, rounds, quick

    def __call__(self, seed: int) -> Figures:
        stage = part(self.data, self.share, seed, self.sentences)
        stage = smaller(stage) if self.quick else stage
        gate = fitted_gate(stage, seed, members=MEMBERS, rounds=self.rounds, foreign_rate=FOREIGN_RATE, quick=self.quick)
        # All validation texts may calibrate: novelty was weighed on held-out training texts, not on them.
        threshold = gate.recalibrate(blocks(stage.validation), stage.validation.labels).threshold
        known, foreign = gate.judge(blocks(stage.test)), gate.judge(blocks(stage.foreign))
        figures = _figures("lifelong", stage, (known.labels, known.novelty > threshold), (foreign.labels, foreign.novelty > threshold))
        answer = linear_head(stage, seed, self.quick)
        held, inside, outside = (answer(texts) for texts in (stage.validation, stage.test, stage.foreign))
        for method in BASELINES:
            bound = conformal_quantile(-held.confidences[method], 1 - FOREIGN_RATE)
            named = ((one.labels, -one.confidences[method] > bound) for one in (inside, outside))
            figures |= _figures(method, stage, *named)
        return figures


Named = tuple[NDArray[np.int64], NDArray[np.bool_]]
"""Classes named, and whether they are called foreign instead."""


def _figures(method: str, stage: Stage, known: Named, foreign: Named) -> dict[tuple[str, str], float]:
    other = int(stage.train.labels.max()) + 1
    said = np.concatenate([np.where(strange, other, labels) for labels, strange in (known, foreign)])
    truth = np.concatenate([stage.test.labels, np.full(len(stage.foreign), other)])
    figures = {"open_accuracy": float((said == truth).mean()), "open_macro_f1": macro_f1(truth, said)}
    return {(method, metric): value for metric, value in figures.items()}
