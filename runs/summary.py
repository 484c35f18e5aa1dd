"""What a run's summary says in figures: `summarise_metrics`, the one place where they are computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

import numpy as np

from ..metrics.continual import (
    accuracy_matrix,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    max_forgetting,
    mean_forgetting,
    tokens_per_solved,
)
from ..metrics.detection import auroc
from .renamed import current_summary


def summarise_metrics(summary: Mapping[str, Any]) -> dict[str, Any]:
    """All figures of a run, JSON-able: rates in [0, 1], `None` where something was not measured.

    Reads `environments`, `evaluations`, `nights` and `stream`. An environment counts as learned after the last night of its
    first unbroken series of nights. `matrix[i][j]` is the success on environment `j` after night `i`; row 0 is before any.
    """
    summary = current_summary(summary)
    evaluations: Sequence[dict[str, Any]] = summary.get("evaluations", ())
    environments = environment_names(summary)
    matrix = accuracy_matrix(evaluations, environments)
    last = len(matrix) - 1
    spans = [_span(environment, summary.get("nights", ())) for environment in environments]
    first = [span[0] if span else last + 2 for span in spans]
    learned = [span[1] if span else last + 1 for span in spans]
    stream: Sequence[dict[str, Any]] = summary.get("stream", ())
    figures: dict[str, Any] = {
        "environments": environments,
        "matrix": matrix,
        "learned": [span[1] if span else None for span in spans],
        "average_accuracy": average_accuracy(matrix),
        "backward_transfer": backward_transfer(matrix, learned),
        "forward_transfer": forward_transfer(matrix, first),
        "forgetting_mean": mean_forgetting(matrix, learned),
        "forgetting_max": max_forgetting(matrix, learned),
        "forgetting": dict(zip(environments, forgetting(matrix, learned), strict=True)),
        "success_before": {name: matrix[first[j] - 1][j] if first[j] - 1 <= last else nan for j, name in enumerate(environments)},
        "success_after": {name: matrix[learned[j]][j] if learned[j] <= last else nan for j, name in enumerate(environments)},
        "success_final": {name: matrix[last][j] for j, name in enumerate(environments)},
        "tokens_per_solved": [_tokens(evaluations, night) for night in range(last + 1)],
        "stream_tokens_per_solved": tokens_per_solved(
            sum(task["tokens"] for task in stream), sum(bool(task["success"]) for task in stream)
        ),
        "chance_auroc": _foresight(stream, "chance"),
        "answer_chance_auroc": _foresight(stream, "answer_chance"),
    }
    return {name: _plain(value) for name, value in figures.items()}


def _foresight(stream: Sequence[Mapping[str, Any]], key: str) -> float:
    """How well the predicted chance of success ranks the solved above the failed; NaN where there are none of either."""
    chances = {
        solved: [row[key] for row in stream if bool(row["success"]) is solved and row.get(key) is not None] for solved in (True, False)
    }
    return auroc(np.array(chances[True]), np.array(chances[False])) if chances[True] and chances[False] else nan


def environment_names(summary: Mapping[str, Any]) -> list[str]:
    """The run's environments in their order; where they are not listed, in order of appearance."""
    rows = [*summary.get("nights", ()), *summary.get("stream", ()), *summary.get("evaluations", ())]
    return list(dict.fromkeys([*summary.get("environments", ()), *(row["environment"] for row in rows)]))


def _span(environment: str, nights: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """First and last night of the environment's first unbroken series, `None` if it never had one."""
    first = end = None
    for night in nights:
        if night["environment"] == environment:
            first, end = first or night["night"], night["night"]
        elif first is not None:
            break
    return None if first is None or end is None else (first, end)


def _tokens(evaluations: Sequence[Mapping[str, Any]], night: int) -> float:
    rows = [row for row in evaluations if row["night"] == night]
    return tokens_per_solved(sum(row["tokens"] for row in rows), sum(row["successes"] for row in rows))


def _plain(value: Any) -> Any:
    """The same with NaN as `None`, which JSON can say."""
    if isinstance(value, float):
        return None if isnan(value) else value
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
