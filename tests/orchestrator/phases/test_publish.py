"""Publication at the end of a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import AdaptedEngine, FakeTrainer, corrected_chats, open_fake

from lifelong.core import AdapterStatus
from lifelong.orchestrator import NightState
from lifelong.orchestrator.phases import consolidate


def test_what_is_forgotten_while_a_night_trains_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(samples: object) -> None:
        monkeypatch.setattr(consolidate, "train_lora", FakeTrainer())
        learner.forget(episode=ids[0], rebuild=False)

    with open_fake(tmp_path, monkeypatch, FakeTrainer(forget), **{"memory.recall": "off"}) as learner:
        ids = corrected_chats(learner, 12)
        [report] = learner.sleep()
        assert report.state is NightState.FAILED
        assert "erased meanwhile" in report.reason
        assert learner.record.adapters.routes("default") == {}
        [report] = learner.sleep()
        assert report.published
        adapter = learner.record.adapters.get(report.adapter)
        assert ids[0] not in adapter.episodes
        assert {path.name for path in (tmp_path / "adapters").iterdir()} == {adapter.name}


def test_a_candidate_without_a_gain_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        corrected_chats(learner, 12)
        engine = learner._components.engine
        assert isinstance(engine, AdaptedEngine)
        engine.useless = {"lifelong-v0001", *(f"lifelong-v0001-fold{number}" for number in range(3))}
        [report] = learner.sleep()
        assert (report.state, learner.record.adapters.get(report.adapter).status) == (NightState.REJECTED, AdapterStatus.REJECTED)
        assert "no proven gain" in report.reason
        assert learner.sleep() == []
