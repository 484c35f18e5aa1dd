"""From one measurement a seed to rows with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ...metrics.statistics import student_ci95
from ..results_file import Row

Metrics = Mapping[tuple[str, str], float]
"""Figures of one seed by method and metric."""


def seeded_rows(case: str, measure: Callable[[int], Metrics], seeds: int, n: int = 1) -> list[Row]:
    """Measure under seeds 0, 1, ...; a row each method and metric: the mean over seeds and, from two seeds on, Student's interval.

    `n` is the number of samples behind one seed's figure.
    """
    return rows_of(case, [measure(seed) for seed in range(seeds)], n)


def rows_of(case: str, measured: Iterable[Metrics], n: int = 1) -> list[Row]:
    """The rows of figures that were measured already, one mapping a seed; each must hold the same methods and metrics."""
    runs = list(measured)
    rows: list[Row] = []
    for method, metric in runs[0]:
        values = [run[method, metric] for run in runs]
        interval = student_ci95(values) if len(values) > 1 else None
        rows.append(
            Row(case=case, method=method, metric=metric, value=float(np.mean(values)), ci95=interval, n=n * len(runs), seeds=len(runs))
        )
    return rows
