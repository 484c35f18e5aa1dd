"""Wake, sleep and forget as a whole, in seconds: only the model and its training are exchanged for a table of answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_training import open_table, use_fake_training
from toy import ToyEnvironment

from lifelong.core import AdapterStatus, NothingFound
from lifelong.orchestrator import LifelongLearner, unlabelled
from lifelong.runs.stream import RunEnvironment, Schedule, run_stream


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    use_fake_training(monkeypatch)


def success(learner: LifelongLearner, environment: ToyEnvironment) -> float:
    runs = learner.evaluate(unlabelled(environment.tasks("test", 16)), environment)
    return sum(run.outcome.success is True for run in runs) / len(runs)


def day(learner: LifelongLearner, environment: ToyEnvironment, count: int = 32) -> None:
    ids = [f"{environment.id}-{number}" for number in range(count)]
    for episode in learner.wake_many(environment.tasks("train", count), environment, ids=ids):
        if not episode.outcome.success:
            learner.correct(episode, environment)


def test_wake_sleep_forget(tmp_path: Path) -> None:
    lamps, bells = ToyEnvironment("lamps", "white"), ToyEnvironment("bells", "green")
    with open_table(tmp_path, lamps, bells) as learner:
        assert success(learner, lamps) == 0.0
        day(learner, lamps)
        [first] = learner.sleep()
        assert first.published
        assert first.gate[0].candidate > first.gate[0].live
        assert success(learner, lamps) == 1.0

        day(learner, bells)
        [second] = learner.sleep()
        assert second.published
        assert (success(learner, lamps), success(learner, bells)) == (1.0, 1.0), "the second night forgets nothing"

        adapter = learner.record.adapters.get(second.adapter)
        assert adapter.status is AdapterStatus.LIVE
        gone = next(id_ for id_ in adapter.episodes if id_.startswith("bells"))
        gone = gone.removesuffix("-expert")
        receipt = learner.forget(episode=gone)
        assert second.adapter in receipt.adapters_erased
        with pytest.raises(NothingFound):
            learner.record.episodes.get(gone)
        for rebuilt in receipt.adapters_rebuilt:
            assert not [id_ for id_ in learner.record.adapters.get(rebuilt).episodes if id_.startswith(f"{gone}-") or id_ == gone]
        assert success(learner, lamps) == 1.0

        learner.forget(tenant="default", rebuild=False)
        assert learner.record.episodes.count() == 0
        assert (success(learner, lamps), success(learner, bells)) == (0.0, 0.0)


def test_a_run_learns_both_and_forgets_neither(tmp_path: Path) -> None:
    environments = (ToyEnvironment("lamps", "white"), ToyEnvironment("bells", "green"))
    members = tuple(RunEnvironment(environment=environment, train=24, test=8, practice=8) for environment in environments)
    with open_table(tmp_path, *environments) as learner:
        summary = run_stream(learner, Schedule(environments=members, corrections=24))
    assert [night["published"] != "" for night in summary["nights"]] == [True, True]
    assert summary["metrics"]["success_final"] == {"lamps": 1.0, "bells": 1.0}
    assert summary["metrics"]["forgetting_max"] == 0.0
    assert [answer["text"] for answer in summary["examples"][0]["answers"]] == ["red", "white"]
