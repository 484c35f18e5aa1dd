from __future__ import annotations

import math

import pytest

from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.agents.nights import ArmResult, LearningArm
from lifelong.evals.suites.agents.suite import ARMS, QUICK_ARMS, rows_of, run


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


def test_arms_are_ours_without_each_part_and_each_part_alone() -> None:
    ours = ARMS["lifelong"]
    assert (ours.grammar, ours.practice, ours.attempts, ours.nights) == (True, True, True, 3)
    left_out = [arm for name, arm in ARMS.items() if name.startswith("lifelong_without")]
    assert sorted((arm.grammar, arm.practice, arm.attempts) for arm in left_out) == [
        (False, True, True),
        (True, False, True),
        (True, True, False),
    ]
    assert {arm.nights for arm in left_out} == {3}
    assert set(QUICK_ARMS) < set(ARMS)


def test_a_data_set_of_a_package_that_is_not_there_is_passed_over_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lifelong.envs.reasoning_gym.find_spec", lambda name: None)
    assert run(quick=False, seeds=1, data=None, only=RowFilter(cases=("reasoning-products",))) == []
    assert "reasoning-products is passed over: reasoning_gym is not installed" in capsys.readouterr().err
