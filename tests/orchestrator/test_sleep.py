"""Which skills a night is due for, and what is left of nights that no longer exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import FakeTrainer, corrected_chats, open_fake

from lifelong.orchestrator.run_state import NightState, PendingSleep
from lifelong.orchestrator.sleep import due_skills


def test_a_skill_is_due_with_enough_new_episodes_and_not_again_after_its_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"sleep.min_episodes": 12}) as learner:
        corrected_chats(learner, 11)
        assert due_skills(learner._components, "default") == []
        corrected_chats(learner, 1, first=11)
        assert due_skills(learner._components, "default") == ["chat"]
        assert due_skills(learner._components, "other") == []
        [report] = learner.sleep()
        assert report.state is NightState.PUBLISHED
        assert due_skills(learner._components, "default") == []
        assert learner.sleep() == []


def test_directories_of_dead_nights_go_and_all_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        directory = learner._components.adapters_directory
        dead = ("lifelong-v0900", ".lifelong-v0901.partial", "lifelong-v0902-fold1", ".erased-lifelong-v0003.partial")
        theirs = ("lifelong-v1-of-mine", "thesis", ".partial")
        for name in (*dead, *theirs, "lifelong-v0903"):
            (directory / name).mkdir(parents=True)
        (directory / "lifelong-v0904").write_text("a file")
        learner.record.state.put(PendingSleep(tenant="ann", skill="chat", number=1, adapter="lifelong-v0903", started=0.0))
        learner.sleep()
        assert {path.name for path in directory.iterdir()} == {*theirs, "lifelong-v0903", "lifelong-v0904"}


def test_a_night_that_fails_leaves_nothing_of_what_it_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(samples: object) -> None:
        raise RuntimeError("the loss is not a number")

    with open_fake(tmp_path, monkeypatch, FakeTrainer(fail)) as learner:
        corrected_chats(learner, 12)
        [report] = learner.sleep()
        assert (report.state, report.published) == (NightState.FAILED, False)
        assert "the loss is not a number" in report.reason
        assert list(learner._components.adapters_directory.iterdir()) == []
        assert learner.record.state.find(PendingSleep) == []
        assert due_skills(learner._components, "default") == ["chat"], "what was not learned is still due"
