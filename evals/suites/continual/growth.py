"""What one more class costs: milliseconds to learn 100 samples of it and to answer a question, by the number of classes known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ....learners import Head, NearestMeanHead, RidgeHead, StreamingLDAHead
from ....memory import CueMemory
from ...data.curve_plots import CurvePoint, curves_plot
from ...data.seeded import Metrics, seeded_rows
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

SKILLS = (100, 300, 1_000, 3_000, 10_000)
SAMPLES, BEFORE, DIMENSIONS = 100, 2, 384
"""Of the new class; of each class that is known; of a vector."""
WARM, REPEATS = 3, 15
"""Classes learned before the clock counts, and those of which the median counts."""
OURS = "ridge (ours)"
NAMES = {
    "lifelong_ridge": OURS,
    "lifelong_cues": "writing cues (ours, in sleep)",
    "nearest_mean": "nearest mean",
    "streaming_lda": "streaming LDA (as deployed)",
}
DRAWS = 3
"""Seeds at most: the samples are made, and only the clock varies."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every size, on one thread; nothing else runs meanwhile. `data` is not read."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    rows: list[Row] = []
    if not only.wants_any(NAMES):
        return rows
    with threadpool_limits(1):
        for skills in SKILLS[:3:2] if quick else SKILLS:
            rows += seeded_rows(f"{skills} skills", partial(cost, skills), min(seeds, DRAWS), only=only)
    return rows


def cost(skills: int, seed: int, repeats: int = REPEATS) -> Metrics:
    """Of each head that learns after every task, and of writing cues, at this number of classes."""
    draw = np.random.default_rng(seed)
    known, fresh = (draw.normal(size=(n, DIMENSIONS), scale=DIMENSIONS**-0.5).astype(np.float32) for n in (BEFORE * skills, SAMPLES))
    figures: dict[tuple[str, str], float] = {}
    heads: dict[str, Head] = {"lifelong_ridge": RidgeHead(), "nearest_mean": NearestMeanHead(), "streaming_lda": StreamingLDAHead()}
    for name, head in heads.items():
        head.learn(known, np.repeat(np.arange(skills), BEFORE))
        learning, answering = [], []
        for number in range(WARM + repeats):
            learned = _seconds(partial(head.learn, fresh, np.full(SAMPLES, skills + number)))
            first, later = (_seconds(partial(head.predict, fresh[row : row + 1])) for row in range(2))
            # What is prepared at the first answer is part of the learning.
            learning.append(learned + first - later)
            answering.append(later)
        figures[name, "learn_class_ms"], figures[name, "predict_ms"] = _milliseconds(learning), _milliseconds(answering)
    memory = CueMemory()
    memory.remember(known, np.repeat(np.arange(skills), BEFORE))
    memory.remember(fresh, np.full(SAMPLES, skills))
    numbers = range(skills + 1, skills + 1 + WARM + max(1, repeats // 3))
    writing = [_seconds(partial(memory.remember, fresh, np.full(SAMPLES, number))) for number in numbers]
    return {**figures, ("lifelong_cues", "learn_class_ms"): _milliseconds(writing)}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _milliseconds(seconds: Sequence[float]) -> float:
    return 1000 * float(np.median(seconds[WARM:]))


def plot(rows: Sequence[Row]) -> str | None:
    """The cost of one more class by the number known; none where fewer than two sizes were measured."""
    curves: dict[str, list[CurvePoint]] = {}
    for row in rows:
        if row.case.endswith(" skills") and row.metric == "learn_class_ms":
            curves.setdefault(NAMES[row.method], []).append(CurvePoint(x=float(row.case.split()[0]), y=row.value, interval=row.ci95))
    if not curves or len(next(iter(curves.values()))) < 2:
        return None
    return curves_plot(
        "continual-cost",
        curves,
        ours=(OURS,),
        x="skills known",
        y="milliseconds to learn one more, 100 samples",
        ticks=SKILLS,
        bar=(50.0, "50 ms"),
        log_y=True,
    )
