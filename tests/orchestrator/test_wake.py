"""Wake: what fails costs its help and not the answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from toy import ToyEnvironment, open_toy, run_tasks, unlike_the_base

from lifelong.core import EngineUnreachable, Task


def test_memory_and_perception_may_fail_and_the_answer_goes_out(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_toy(tmp_path, tiny_model) as learner:

        def broken(*_: object, **__: object) -> None:
            raise OSError("the encoder's files are gone")

        monkeypatch.setattr("lifelong.perception.HashedEncoder.encode", broken)
        episode = learner.wake(Task(id="1", goal="Hello", environment="chat"))
        assert episode.answer
        assert learner.record.episodes.get(episode.id) == episode
        assert learner.status().faults == {"encoder": 1}


def test_a_dead_engine_is_an_error_and_nothing_is_recorded(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model) as learner:
        learner._components.engine.close()
        with pytest.raises(EngineUnreachable):
            learner.wake(Task(id="1", goal="Hello", environment="chat"))
        assert learner.record.episodes.count() == 0


def test_an_unknown_task_may_be_declined(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model, **{"wake.abstain_on_unknown": True, "wake.control_share": 0.0}) as learner:
        episode = learner.wake(Task(id="1", goal="Fold a crane.", environment="chat"))
        assert "not learned" in episode.answer
        assert episode.outcome.success is None
        assert learner.status().novel == 1


@pytest.mark.slow
def test_an_adapter_whose_files_are_gone_costs_its_help_and_not_the_answer(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        run_tasks(learner, lamps)
        [night] = learner.sleep()
    shutil.rmtree(tmp_path / "adapters" / night.adapter)
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        [episode] = learner.wake_many(lamps.tasks("test", 1), lamps, ids=["after"])
        assert episode.answer
        assert episode.adapter == ""
        assert learner.status().faults["adapter"] >= 1
