"""Nights: guarded skill by skill, in the background, one at a time on a home, resumable, and honest about what they lack."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from nights import FakeTrainer, corrected_chats, open_fake
from toy import ToyEnvironment

from lifelong.core import NothingFound, Recall, Task
from lifelong.orchestrator import NightState
from lifelong.orchestrator.night_lock import night_lock
from lifelong.orchestrator.phases import consolidate
from lifelong.orchestrator.run_state import Night, PendingSleep, SleepReport


def test_a_dozen_corrected_chats_are_judged_in_turn_and_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer) as learner:
        ids = corrected_chats(learner, 12)
        night = learner.night(learner.start_sleep())
        learner.wait_for_nights(60)
        night = learner.night(night.id)
        assert (night.state, learner.status().last_night) == (NightState.PUBLISHED, night)
        [report] = learner.record.state.find(SleepReport, tenant="default")
        assert report.gate[0].tasks == 12
        assert set(learner.record.adapters.get(report.adapter).episodes) == set(ids)
        # The candidate learns from all of them; whoever judges a task has not learned from it.
        (name, data, recipe), *folds = trainer.trained
        assert name == report.adapter
        assert {sample.episode for sample in data} == {*ids, ""}
        assert recipe.min_steps == 30
        # As many passes as the candidate's, 17 samples in 30 steps of 8, and so fewer steps for fewer samples.
        assert [(fold.epochs, fold.min_steps) for _, _, fold in folds] == [(15, 0)] * 2
        judged = [set(ids) - {sample.episode for sample in fold} for _, fold, _ in folds]
        assert set.union(*judged) == set(ids)
        assert sum(map(len, judged)) == 12
        # The base model's own answers to other questions are mixed in, and nothing of the folds is left.
        assert sum(sample.episode == "" for sample in data) == 5
        assert [path.name for path in (tmp_path / "adapters").iterdir()] == [report.adapter]
        assert learner.sleep() == []


def test_a_running_night_names_its_phase_and_one_that_has_ended_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    with open_fake(tmp_path, monkeypatch) as learner:
        corrected_chats(learner, 12)
        with night_lock(tmp_path, "default", lambda: None):
            id = learner.start_sleep()
            assert learner.night(id).phase == "waiting"
        trained = consolidate.trained

        def watched(*values: object) -> Path:
            seen.append(learner.night(id).phase)
            return trained(*values)  # type: ignore[arg-type]

        monkeypatch.setattr(consolidate, "trained", watched)
        learner.wait_for_nights(60)
        night = learner.night(id)
        assert (night.state, night.phase) == (NightState.PUBLISHED, "")
    assert seen[0] == "consolidate"


def test_a_night_that_failed_names_the_phase_in_which_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*values: object) -> int:
        raise OSError("the disk is full")

    with open_fake(tmp_path, monkeypatch, **{"memory.max_episodes": 1}) as learner:
        corrected_chats(learner, 12)
        monkeypatch.setattr("lifelong.orchestrator.phases.compress.compress", broken)
        with pytest.raises(OSError, match="disk"):
            learner.sleep()
        night = learner.status().last_night
        assert night is not None
        assert (night.state, night.phase) == (NightState.FAILED, "compress")


def test_an_engine_without_weights_here_says_so_and_uses_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        learner._components.base_path, here = tmp_path / "a-model-behind-a-url", learner._components.base_path
        corrected_chats(learner, 12)
        [report] = learner.sleep()
        assert report.state is NightState.NOTHING_TO_LEARN
        assert report.reason.startswith("this engine has no local weights to train")
        assert learner.status().faults == {}
        learner._components.base_path = here
        [report] = learner.sleep()
        assert report.published


def test_a_corrected_fact_is_recalled_though_an_adapter_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"memory.near_similarity": 0.95}) as learner:
        ids = corrected_chats(learner, 12)
        assert learner.sleep()[0].published
        again, other = (
            learner.wake(Task(id=goal, goal=goal, environment="chat", skill="chat"))
            for goal in ("Order 4 of brushes", "Order a hundred heavy ladders from the shop")
        )
        assert again.adapter
        assert other.adapter
        assert [step.episodes for step in again.steps if isinstance(step, Recall)] == [(ids[4],)]
        assert not any(step.episodes for step in other.steps if isinstance(step, Recall))


def test_what_an_environment_judged_is_not_recalled_once_an_adapter_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = ToyEnvironment()
    tasks = environment.tasks("train", 12)
    with open_fake(tmp_path, monkeypatch, **{"sleep.gate": False, "sleep.min_episodes": 1}) as learner:
        learner.environments[environment.id] = environment
        for task in tasks:
            learner.correct(learner.wake(task, environment), environment)
        before = learner.wake(tasks[0], environment)
        assert any(step.episodes for step in before.steps if isinstance(step, Recall))
        assert learner.sleep()[0].published
        after = learner.wake(tasks[0], environment)
        assert after.adapter
        assert not any(step.episodes for step in after.steps if isinstance(step, Recall))


def test_one_skill_that_fails_ends_its_own_night_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(samples: object) -> None:
        if any(sample.skill == "bells" for sample in samples):  # type: ignore[attr-defined]
            raise TypeError("a dict is no text")

    with open_fake(tmp_path, monkeypatch, FakeTrainer(broken), **{"sleep.replay": 0}) as learner:
        for skill in ("bells", "lamps"):
            corrected_chats(learner, 12, skill=skill)
        reports = {report.skill: report for report in learner.sleep()}
        assert reports["lamps"].published
        assert (reports["bells"].state, reports["bells"].reason) == (NightState.FAILED, "TypeError: a dict is no text")
        assert learner.record.state.find(PendingSleep) == []
        monkeypatch.setattr(consolidate, "train_lora", FakeTrainer())
        [again] = learner.sleep()
        assert (again.skill, again.published) == ("bells", True)


def test_an_answer_never_waits_for_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    trainer = FakeTrainer(lambda samples: go.wait(30) and None)
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.every": 12}) as learner:
        corrected_chats(learner, 11)
        begun = time.monotonic()
        corrected_chats(learner, 1, first=11)
        id_ = learner.start_sleep()
        assert time.monotonic() - begun < 10
        assert learner.start_sleep() == id_, "the night that runs already"
        assert learner.night(id_).state is NightState.RUNNING
        go.set()
        learner.wait_for_nights(60)
        assert learner.night(id_).state is not NightState.RUNNING
        with pytest.raises(NothingFound):
            learner.night(id_, tenant="other")


def test_closing_stops_a_night_and_the_next_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(samples: object) -> None:
        begun.set()
        go.wait(30)

    learner = open_fake(tmp_path, monkeypatch, FakeTrainer(slow))
    corrected_chats(learner, 12)
    id_ = learner.start_sleep()
    assert begun.wait(30)
    learner._nights._stop.set()
    go.set()
    learner.close()
    with open_fake(tmp_path, monkeypatch) as learner:
        assert learner.night(id_).state is NightState.FAILED
        assert "goes on" in learner.night(id_).reason
        [pending] = learner.record.state.find(PendingSleep)
        [report] = learner.resume()
        assert (report.adapter, report.published) == (pending.adapter, True)  # type: ignore[union-attr]


def test_nights_of_many_threads_come_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []

    def alone(samples: object) -> None:
        inside.append(1)
        time.sleep(0.01)
        assert len(inside) == 1, "two nights train at once"
        inside.clear()

    with open_fake(tmp_path, monkeypatch, FakeTrainer(alone)) as learner:
        for tenant in ("ann", "anna"):
            corrected_chats(learner, 12, tenant=tenant)
        threads = [threading.Thread(target=learner.sleep, kwargs={"tenant": tenant}) for tenant in ("ann", "anna") * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        adapters = learner.record.adapters.find()
        assert sorted(adapter.tenant for adapter in adapters) == ["ann", "anna"]
        assert len({adapter.path for adapter in adapters}) == 2


def test_a_night_whose_process_is_gone_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        mine = learner._nights._begin("default")
        learner.record.state.put(Night(tenant="default", id="old", pid=gone.pid, host=mine.host, started=0.0))
        assert learner.night("old").state is NightState.FAILED
        learner.sleep()
        assert learner.night("old").ended > 0


def test_tenants_go_on_learning_after_compression_and_erasure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"memory.max_episodes": 30, "memory.recall": "off"}) as learner:
        ids = corrected_chats(learner, 12)
        assert learner.sleep()[0].published
        for id_ in ids[:6]:
            learner.forget(episode=id_, rebuild=False)
        corrected_chats(learner, 8, first=20)
        [report] = learner.sleep()
        assert report.state is not NightState.NOTHING_TO_LEARN
