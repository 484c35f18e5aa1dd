from __future__ import annotations

import math

import pytest

from lifelong.evals.suites.agents.arm_rows import rows_of
from lifelong.evals.suites.agents.nights import ArmResult, LearningArm
from lifelong.evals.suites.agents.suite import ARMS


def result(*nights: int, tasks: int = 10) -> ArmResult:
    return ArmResult(
        successes=tuple(tuple(place < solved for place in range(tasks)) for solved in nights),
        tokens=tuple(100 for _ in nights),
        training_seconds=60.0,
    )


def test_a_row_for_each_night_pooled_over_seeds() -> None:
    rows = rows_of("database", "lifelong", ARMS["lifelong"], [result(2, 4, 6), result(4, 6, 8)])
    found = {row.metric: row for row in rows}
    assert [found[f"success_night_{night}"].value for night in (1, 2, 3)] == pytest.approx([0.3, 0.5, 0.7])
    assert found["success_night_3"].n == 20
    assert found["success_night_3"].seeds == 2
    assert found["success_night_3"].ci95 is not None
    assert found["tokens_per_solved"].value == pytest.approx((100 / 6 + 100 / 8) / 2)
    assert found["training_seconds"].value == 60


def test_an_arm_that_never_sleeps_is_measured_before_any_night() -> None:
    [success, tokens, _] = rows_of("database", "grammar", LearningArm(), [result(0)])
    assert (success.metric, success.value) == ("success_night_0", 0.0)
    assert math.isnan(tokens.value), "nothing was solved"
