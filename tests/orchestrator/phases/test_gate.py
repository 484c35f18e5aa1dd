"""The gate in a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import ToyEnvironment, open_toy, run_tasks, unlike_the_base

from lifelong.agents import Run
from lifelong.core import Action, AdapterStatus, Observation, Outcome, Usage
from lifelong.orchestrator.held_out import HeldOutResult
from lifelong.orchestrator.phases.gate import consistent


@pytest.mark.slow
def test_a_gate_that_sees_no_gain_publishes_nothing(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps, **{"sleep.learning_rate": 1e-7}) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        run_tasks(learner, lamps)
        [night] = learner.sleep()
        assert not night.published
        assert "no proven gain" in night.reason
        assert learner.record.adapters.get(night.adapter).status is AdapterStatus.REJECTED
        assert learner.status().skills == {"lamps": ""}


def test_who_does_the_same_is_as_good_whatever_the_verdicts_say() -> None:
    def result(answer: str, success: bool) -> HeldOutResult:
        run = Run(steps=(Observation(text="?"), Action(text=answer)), outcome=Outcome(success=success), usage=Usage())
        return HeldOutResult(success=success, run=run)

    live = [result("a", False), result("a", True), result("a", False), HeldOutResult(success=False)]
    ours = [result("a", True), result("a", False), result("b", True), HeldOutResult(success=True)]
    assert [one.success for one in consistent(live, ours)] == [False, True, True, True]
