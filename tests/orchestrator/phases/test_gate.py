"""The gate in a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import ToyEnvironment, open_toy, run_tasks, unlike_the_base

from lifelong.core import AdapterStatus


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
