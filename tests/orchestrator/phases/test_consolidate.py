"""Training in a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import FakeTrainer, corrected_chats, open_fake

from lifelong.orchestrator import NightState
from lifelong.orchestrator.run_state import PendingSleep


def test_too_few_tasks_are_said_and_not_used_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"sleep.min_held_out": 12}) as learner:
        corrected_chats(learner, 9)
        [report] = learner.sleep()
        assert report.state is NightState.NOTHING_TO_LEARN
        assert report.reason == "9 held-out tasks of 'chat'; 12 are needed to tell a gain"
        corrected_chats(learner, 3, first=9)
        [report] = learner.sleep()
        assert report.published
        night = learner.night(learner.start_sleep())
        learner.wait_for_nights(60)
        assert "0 new trainable episodes of 'chat', 8 are needed" in learner.night(night.id).reason


def test_a_directory_that_was_made_of_something_else_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer) as learner:
        corrected_chats(learner, 12, tenant="ann")
        name = learner.record.adapters.next_name()
        learner.record.state.put(PendingSleep(tenant="ann", skill="chat", number=1, adapter=name, started=0.0))
        old = tmp_path / "adapters" / name
        old.mkdir(parents=True)
        (old / "training.json").write_text("{}")
        (old / "weights of another tenant").write_text("x")
        [report] = learner.sleep(tenant="ann")
        assert (report.adapter, report.published) == (name, True)
        assert not (old / "weights of another tenant").exists()
