"""Forgetting takes rows, lessons and weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import ToyEnvironment, open_toy, run_tasks, success, unlike_the_base

from lifelong.core import MalformedTask, NothingFound


def test_forgetting_takes_rows_lessons_and_weights(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        run_tasks(learner, lamps)
        [night] = learner.sleep()
        gone = next(e for e in learner.record.adapters.get(night.adapter).episodes if e.endswith("-demonstration")).removesuffix(
            "-demonstration"
        )

        receipt = learner.forget(episode=gone)
        assert receipt.adapters_erased == (night.adapter,)
        assert receipt.episodes == 2
        assert not Path(learner.record.adapters.get(night.adapter).path).exists()
        assert set(receipt.probe.values()) == {0.0}
        [rebuilt] = receipt.adapters_rebuilt
        assert gone not in learner.record.adapters.get(rebuilt).episodes
        assert success(learner, lamps) == 1.0
        with pytest.raises(NothingFound):
            learner.record.episodes.get(gone)

        everything = learner.forget(tenant="default", rebuild=False)
        assert learner.record.episodes.find() == []
        assert set(everything.probe.values()) == {0.0}
        assert success(learner, lamps) == 0.0
        with pytest.raises(NothingFound, match="nothing recorded"):
            learner.forget(tenant="default")
        with pytest.raises(MalformedTask):
            learner.forget()
