from __future__ import annotations

from pathlib import Path

from scripted import open_scripted

from lifelong.core import Recall, Task
from lifelong.orchestrator.phases.phase import NightContext, Work
from lifelong.orchestrator.phases.profile import WriteProfile
from tests.memory.sqlite.turns.test_store import said


def test_a_night_writes_the_profile_and_a_new_chat_begins_with_it(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        said(learner.record, "I prefer metric units.", id="a", created=10.0)
        before = learner.wake(Task(id="q", goal="Name three planets.", environment="chat", session="q"))
        assert not [step for step in before.steps if isinstance(step, Recall)]
        learner.sleep()
        asked = learner.wake(Task(id="r", goal="Name three planets.", environment="chat", session="r"))
        [shown] = [step for step in asked.steps if isinstance(step, Recall)]
        assert shown.text == "The user said, 1970-01-01: I prefer metric units."
        assert shown.episodes == ("a",)
        other = learner.wake(Task(id="s", goal="Name three planets.", environment="chat", session="s", tenant="somebody"))
        assert not [step for step in other.steps if isinstance(step, Recall)]
        learner.forget(episode="a")
        again = learner.wake(Task(id="t", goal="Name three planets.", environment="chat", session="t"))
        assert not [step for step in again.steps if isinstance(step, Recall)]


def test_without_tokens_there_is_no_profile(tmp_path: Path) -> None:
    with open_scripted(tmp_path, **{"memory.profile_tokens": 0}) as learner:
        night = NightContext(components=learner._components, environments={}, tenant="default")
        assert not WriteProfile().due(night, Work())


def test_what_is_said_otherwise_leaves_the_profile_when_it_is_indexed(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        said(learner.record, "Our staging server is called heron.", id="a", created=10.0)
        learner.sleep()
        assert [line.text for line in learner.profile()] == ["Our staging server is called heron."]
        said(learner.record, "Our staging server is called osprey now.", id="b", created=20.0)
        learner._components.turns.finish()
        assert learner.profile() == []
        learner.sleep()
        assert [line.text for line in learner.profile()] == ["Our staging server is called osprey now."]
