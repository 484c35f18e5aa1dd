"""From one measurement a seed to rows with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...metrics.statistics import crossed_bootstrap_ci95, pooled_rate_ci95, student_ci95
from ..results_file import Row
from ..row_filter import ALL_ROWS, RowFilter


@dataclass(frozen=True, kw_only=True)
class Rate:
    """How many of a seed's samples: a figure whose interval counts samples too, so that seeds that agree do not make it a point."""

    hits: int
    """Samples of which it is true."""
    trials: int
    """Samples that were looked at, one at least."""

    @classmethod
    def of(cls, hits: NDArray[np.bool_]) -> Rate:
        """The rate of samples `(n,)`."""
        return cls(hits=int(np.sum(hits)), trials=len(hits))


Measurement = float | NDArray[np.floating] | Rate
"""A figure of one seed; or the values `(n,)` of the data set's test samples whose mean it is, NaN where a sample was not tested; or a
rate of samples of its own."""
Metrics = Mapping[tuple[str, str], float]
"""Numbers of one seed by method and metric."""
Measurements = Mapping[tuple[str, str], Measurement]
"""The same, with values of test samples where they are at hand."""


def seeded_rows(case: str, measure: Callable[[int], Measurements], seeds: int, n: int = 1, *, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Measure under seeds 0, 1, ...; a row each method and metric: the mean over seeds and an interval.

    `n` is the number of samples behind one seed's figure. A case that is not wanted is not measured.
    """
    if not only.wants_case(case):
        return []
    return only.rows(rows_of(case, [measure(seed) for seed in range(seeds)], n))


def rows_of(case: str, measured: Iterable[Measurements], n: int = 1) -> list[Row]:
    """The rows of figures that were measured already, one mapping a seed; each must hold the same methods and metrics.

    The interval of a single number is Student's over seeds, from two seeds on. Of values of test samples it is that of
    `crossed_bootstrap_ci95`, over seeds and over samples: seeds that share a test set share its error. Of rates it is Wilson's of the
    pooled counts (`pooled_rate_ci95`), wider where seeds differ more than chance.
    """
    runs = list(measured)
    if not runs:
        return []
    rows: list[Row] = []
    for method, metric in runs[0]:
        values = [run[method, metric] for run in runs]
        means = [mean_of(value) for value in values]
        rows.append(
            Row(
                case=case,
                method=method,
                metric=metric,
                value=float(np.mean(means)),
                ci95=_interval(values, means),
                n=_samples(values) or n * len(runs),
                seeds=len(runs),
            )
        )
    return rows


def mean_of(figure: Measurement) -> float:
    """The number that a figure is, whatever its form."""
    if isinstance(figure, Rate):
        return figure.hits / figure.trials
    return float(np.nanmean(figure)) if isinstance(figure, np.ndarray) else float(figure)


def _samples(values: list[Measurement]) -> int:
    """Samples behind rates of all seeds together; 0 where they are no rates."""
    return sum(value.trials for value in values if isinstance(value, Rate))


def _interval(values: list[Measurement], means: list[float]) -> tuple[float, float] | None:
    if samples := _samples(values):
        return pooled_rate_ci95(means, samples // len(values))
    tables = [value for value in values if isinstance(value, np.ndarray)]
    if len(tables) == len(values):
        low, high = crossed_bootstrap_ci95(np.stack(tables).tolist())
        # Percentiles of draws need not hold the mean itself where hardly any sample differs.
        return min(low, float(np.mean(means))), max(high, float(np.mean(means)))
    return student_ci95(means) if len(means) > 1 else None
