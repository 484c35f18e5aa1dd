"""Transfer and forgetting from the accuracy matrix, as pure functions.

`matrix[i][j]` is the success rate on environment `j` after night `i`; row 0 is before any night, so a matrix of `T`
nights has `T + 1` rows. NaN marks what was not measured: means run over the environments that were, and a mean over
none is NaN. `learned[j]` is the night after which environment `j` counts as learned; by default environment `j` has night
`j + 1`, as in the papers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from statistics import fmean
from typing import Any

Matrix = Sequence[Sequence[float]]


def _mean(values: Sequence[float]) -> float:
    measured = [value for value in values if not isnan(value)]
    return fmean(measured) if measured else nan


def _nights(matrix: Matrix, learned: Sequence[int] | None) -> Sequence[int]:
    environments = len(matrix[0]) if matrix else 0
    if not matrix or any(len(row) != environments for row in matrix):
        raise ValueError("the accuracy matrix needs at least one row and the same environments in every row")
    nights = range(1, environments + 1) if learned is None else learned
    if len(nights) != environments or any(night < 1 for night in nights):
        raise ValueError(f"learned={list(nights)} must give a night, counted from 1, for each of the {environments} environments")
    return nights


def average_accuracy(matrix: Matrix) -> float:
    """Mean of the last row (Lopez-Paz and Ranzato 2017, equation 2), in [0, 1]."""
    _nights(matrix, None)
    return _mean(matrix[-1])


def backward_transfer(matrix: Matrix, learned: Sequence[int] | None = None) -> float:
    """Mean of R[T][j] - R[learned j][j] over environments learned before the last night, in [-1, 1].

    Lopez-Paz and Ranzato 2017, equation 3. Negative: later nights harmed earlier environments.
    """
    last = len(matrix) - 1
    return _mean([matrix[last][j] - matrix[night][j] for j, night in enumerate(_nights(matrix, learned)) if night < last])


def forward_transfer(matrix: Matrix, first: Sequence[int] | None = None) -> float:
    """Mean of R[first j - 1][j] - R[0][j] over environments whose first night is not night 1, in [-1, 1].

    Lopez-Paz and Ranzato 2017, equation 4, with the untrained model as the baseline b.
    Positive: earlier nights helped environments that were still to come.
    """
    rows = len(matrix)
    return _mean([matrix[night - 1][j] - matrix[0][j] for j, night in enumerate(_nights(matrix, first)) if 1 < night <= rows])


def forgetting(matrix: Matrix, learned: Sequence[int] | None = None) -> tuple[float, ...]:
    """Best earlier success minus final success for each environment learned before the last night, NaN for others.

    Chaudhry et al. 2018 (Riemannian walk), the forgetting measure f. In [-1, 1]; negative: the end is the best.
    `mean_forgetting` and `max_forgetting` sum it up.
    """
    last = len(matrix) - 1
    nights = _nights(matrix, learned)
    falls = []
    for j, night in enumerate(nights):
        earlier = [row[j] for row in matrix[:last] if not isnan(row[j])]
        falls.append(max(earlier) - matrix[last][j] if earlier and night < last else nan)
    return tuple(falls)


def mean_forgetting(matrix: Matrix, learned: Sequence[int] | None = None) -> float:
    """Mean of `forgetting` over environments (Chaudhry et al. 2018, F)."""
    return _mean(forgetting(matrix, learned))


def max_forgetting(matrix: Matrix, learned: Sequence[int] | None = None) -> float:
    """The worst environment's `forgetting`."""
    return max((fall for fall in forgetting(matrix, learned) if not isnan(fall)), default=nan)


def tokens_per_solved(tokens: int, solved: int) -> float:
    """Tokens spent on all tasks for each one solved, failures included; NaN when none was solved."""
    return tokens / solved if solved else nan


def rolling_mean(values: Sequence[float], half: int) -> list[float]:
    """Mean over a centred window of `2 * half + 1` values, cut off at both ends."""
    return [fmean(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]


def accuracy_matrix(evaluations: Sequence[dict[str, Any]], environments: Sequence[str]) -> list[list[float]]:
    """The matrix from a run's evaluations (`night`, `environment`, `successes`, `tasks`), NaN where there are none."""
    solved: dict[tuple[int, str], int] = {}
    tasks: dict[tuple[int, str], int] = {}
    for row in evaluations:
        key = (row["night"], row["environment"])
        solved[key] = solved.get(key, 0) + row["successes"]
        tasks[key] = tasks.get(key, 0) + row["tasks"]
    last = max((night for night, _ in tasks), default=0)
    return [[solved[i, name] / tasks[i, name] if tasks.get((i, name)) else nan for name in environments] for i in range(last + 1)]
