from __future__ import annotations

import pytest

from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.agents.suite import ARMS, QUICK_ARMS, run


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
