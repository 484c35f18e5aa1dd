"""The figures of one arm as rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....metrics.statistics import pooled_rate_ci95, student_ci95
from ...results_file import Row
from .nights import ArmResult, LearningArm


def rows_of(case: str, method: str, arm: LearningArm, results: Sequence[ArmResult]) -> list[Row]:
    """The figures of one arm, from its results, one a seed: `success_night_0` is before any night."""
    first = 1 if arm.nights else 0
    rows: list[Row] = []
    for place in range(len(results[0].successes)):
        rates = [sum(result.successes[place]) / len(result.successes[place]) for result in results]
        tasks = len(results[0].successes[place])
        rows.append(
            Row(
                case=case,
                method=method,
                metric=f"success_night_{first + place}",
                value=sum(rates) / len(rates),
                ci95=pooled_rate_ci95(rates, tasks),
                n=tasks * len(rates),
                seeds=len(rates),
            )
        )
    solved = [sum(result.successes[-1]) for result in results]
    tokens = [result.tokens[-1] / number if number else math.nan for result, number in zip(results, solved, strict=True)]
    for metric, values in (("tokens_per_solved", tokens), ("training_seconds", [result.training_seconds for result in results])):
        known = [value for value in values if not math.isnan(value)]
        mean = sum(known) / len(known) if known else math.nan
        interval = student_ci95(known) if len(known) > 1 else None
        rows.append(Row(case=case, method=method, metric=metric, value=mean, ci95=interval, n=rows[0].n, seeds=len(results)))
    return rows
