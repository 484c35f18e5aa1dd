"""Accuracy against bytes, from 0.5 to 32 KB a class on CLINC150: cues beside other memories, all under the same sleep.

Ours was set for each budget on the validation split. The contrasts fill the budget: as many deflated texts as fit, as many samples
in eight bits as fit, and Gaussians with as many directions of their own as fit, after those of the covariance that all classes
share. Means are eight bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ....learners import CueHead, NearestMeanHead
from ...data.class_stream import HeadFactory, class_stream, run_stream
from ...data.curve_plots import CurvePoint, curves_plot
from ...data.seeded import Measurement, Measurements, rows_of
from ...data.texts import Texts, clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .sampled_memories import GaussianMemory, RawMemory, SampledMemoryHead
from .text_memory import KnownTexts, TextSleepHead

BUDGETS: dict[str, tuple[tuple[float, float, int], int, tuple[int, int]]] = {
    "0.5": ((0.11, 0.06, 16), 1, (45, 0)),
    "1": ((0.10, 0.16, 16), 2, (243, 0)),
    "2": ((0.085, 0.35, 32), 5, (383, 1)),
    "4": ((0.07, 0.72, 48), 10, (383, 6)),
    "8": ((0.04, 0.9, 96), 21, (383, 17)),
    "16": ((0.02, 1.0, 96), 42, (383, 38)),
    "32": ((0.02, 1.0, 96), 84, (383, 80)),
}
"""By kilobytes a class: step, kept share and directions of our cues; raw samples; shared and own directions of the Gaussians."""
TEXTS: dict[str, int | None] = {"0.5": 42, "1": 92}
"""Deflated texts a class that fit; from 2 KB on all of them do."""
NAMES = {
    "lifelong": "cues (ours)",
    "zlib_texts": "texts, deflated",
    "raw_replay": "raw samples",
    "class_gaussians": "class Gaussians",
    "class_means": "class means",
}
TICKS = (0.5, 1, 2, 4, 8, 16, 32)


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Last accuracy at equal bytes a class; `quick` has one budget."""
    rows: list[Row] = []
    budgets = [budget for budget in (("1",) if quick else BUDGETS) if only.wants_case(f"clinc150, {budget} KB a class")]
    if not budgets or not only.wants_any(NAMES):
        return rows
    clinc = clinc150(data)
    with worker_pool() as pool:
        for budget in budgets:
            measured = pool.map(partial(at_budget, budget, data, quick, only), range(seeds))
            rows += rows_of(f"clinc150, {budget} KB a class", measured, n=len(clinc.test))
    return rows


def at_budget(budget: str, data: Path, quick: bool, only: RowFilter, seed: int) -> Measurements:
    """Every memory that fits, on the stream of a seed."""
    stream = class_stream(clinc150(data), 10, seed, 2 if quick else None)
    figures: dict[tuple[str, str], Measurement] = {}
    for method, make in memories(budget, stream.train).items():
        if not only.wants_method(method):
            continue
        measured = run_stream(make(seed), stream, every_step=False)
        figures |= {(method, metric): measured[metric] for metric in ("last_accuracy", "bytes_per_class")}
    return figures


def memories(budget: str, train: Texts) -> dict[str, HeadFactory]:
    """The methods at a budget, on the texts of a stream."""
    (step, kept, directions), raw, (shared, own) = BUDGETS[budget]
    return {
        "lifelong": lambda seed: CueHead(step=step, kept=kept, directions=directions, seed=seed),
        "zlib_texts": lambda seed: TextSleepHead(KnownTexts(train), per_class=TEXTS.get(budget), seed=seed),
        "raw_replay": lambda seed: SampledMemoryHead(RawMemory(per_class=raw, seed=seed), seed=seed),
        "class_gaussians": lambda seed: SampledMemoryHead(GaussianMemory(shared=shared, own=own, seed=seed), seed=seed),
        "class_means": lambda seed: NearestMeanHead(),
    }


def plot(rows: Sequence[Row]) -> str | None:
    """The curve of accuracy against the bytes that were measured; none where fewer than two budgets were."""
    found: dict[str, dict[str, dict[str, Row]]] = {}
    for row in rows:
        if row.case.endswith("KB a class"):
            found.setdefault(row.method, {}).setdefault(row.case, {})[row.metric] = row
    curves = {
        NAMES[method]: [
            CurvePoint(
                x=one["bytes_per_class"].value / 1024, y=100 * one["last_accuracy"].value, interval=_percent(one["last_accuracy"].ci95)
            )
            for one in cases.values()
        ]
        for method, cases in found.items()
    }
    if not curves or len(next(iter(curves.values()))) < 2:
        return None
    return curves_plot(
        "continual-bytes", curves, ours=(NAMES["lifelong"],), x="kilobytes a class in total", y="last accuracy, %", ticks=TICKS
    )


def _percent(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (100 * interval[0], 100 * interval[1])
