"""Feedback that says nothing or contradicts itself is refused; what a user corrects is learned, and may be corrected again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from nights import open_fake
from scripted import ScriptedEngine, open_scripted
from toy import ToyEnvironment

from lifelong.core import Episode, Judge, Lesson, LessonStatus, MalformedTask, Task
from lifelong.orchestrator import LifelongLearner


def ask(learner: LifelongLearner, id: str = "1") -> Episode:
    return learner.wake(Task(id=id, goal="Order 4 of brushes", environment="chat"))


@pytest.mark.parametrize(
    "blank", [" ", "\n\t", "\u200b", "\u200b\ufeff\u2060", "\u00ad", "\x00", "\u3164", "\u2800", "\u115f", "\u034f", "\u0301"]
)
def test_a_correction_that_cannot_be_seen_is_refused(tmp_path: Path, blank: str) -> None:
    with open_scripted(tmp_path) as learner:
        episode = ask(learner)
        for success in (None, False):
            with pytest.raises(MalformedTask, match="nothing that can be seen"):
                learner.feedback(episode.id, success=success, correction=blank)
        assert learner.record.episodes.get(episode.id) == episode


def test_feedback_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        episode = ask(learner)
        with pytest.raises(MalformedTask, match="very answer"):
            learner.feedback(episode.id, success=False, correction=" done ")
        with pytest.raises(MalformedTask, match="both"):
            learner.feedback(episode.id, success=True, correction="other")


def test_an_empty_answer_cannot_be_confirmed(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        learner._components.engine = ScriptedEngine(lambda request: " \u200b")
        episode = ask(learner)
        with pytest.raises(MalformedTask, match="nothing to confirm"):
            learner.feedback(episode.id, success=True)
        assert learner.feedback(episode.id, success=False, correction="yes").trainable
        assert not replace(episode, outcome=replace(episode.outcome, success=True, judge=Judge.USER)).trainable


def test_a_user_may_change_their_mind(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        episode = ask(learner)
        assert learner.feedback(episode.id, success=True).outcome.success is True
        wrong = learner.feedback(episode.id, success=False, correction="[brushes x4] ok")
        assert (wrong.outcome.success, wrong.correction) == (False, "[brushes x4] ok")
        learner.record.state.mark_learned([episode.id])
        assert learner.record.state.new_episodes("default", wrong.skill) == 0
        right = learner.feedback(episode.id, success=True)
        assert (right.outcome.success, right.correction) == (True, "")
        assert learner.record.state.new_episodes("default", wrong.skill) == 1, "what changed is new again"


def test_an_environments_failure_can_be_corrected_and_its_word_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lamps = ToyEnvironment("lamps")
    with open_fake(tmp_path, monkeypatch) as learner:
        [episode] = learner.wake_many(lamps.tasks("train", 1), lamps, ids=["a"])
        assert (episode.outcome.success, episode.outcome.judge) == (False, Judge.ENVIRONMENT)
        corrected = learner.feedback("a", success=False, correction="blue")
        assert (corrected.outcome, corrected.correction, corrected.trainable) == (episode.outcome, "blue", True)
        with pytest.raises(MalformedTask):
            learner.feedback("a", success=True)
        lamps.right = episode.answer
        [solved] = learner.wake_many(lamps.tasks("train", 2)[1:], lamps, ids=["b"])
        assert solved.outcome.success
        with pytest.raises(MalformedTask, match="cannot be corrected"):
            learner.feedback("b", success=None, correction="green")


def test_an_overruled_verdict_takes_back_what_it_said_of_the_lessons_that_were_shown(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        evidence = ask(learner, "0")
        lesson = Lesson(id="l", tenant="default", skill="chat", text="Count twice.", episodes=(evidence.id,), status=LessonStatus.ACTIVE)
        learner.record.lessons.record(lesson)
        learner.feedback(evidence.id, success=True)
        episode = learner.wake(Task(id="1", goal="Order 5 of brushes", environment="chat", skill="chat"))
        assert episode.lessons == ("l",)

        def counts() -> tuple[int, int]:
            found = learner.record.lessons.get("l")
            return found.helped, found.harmed

        assert counts() == (0, 0), "nobody has judged yet"
        for success, expected in ((True, (1, 0)), (True, (1, 0)), (False, (0, 1)), (False, (0, 1)), (True, (1, 0))):
            learner.feedback(episode.id, success=success)
            assert counts() == expected
        learner.feedback(episode.id, success=False, correction="five brushes")
        assert counts() == (0, 1), "a correction overrules a thumbs-up as well"


def test_two_verdicts_at_once_count_once(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        evidence = ask(learner, "0")
        lesson = Lesson(id="l", tenant="default", skill="chat", text="Count twice.", episodes=(evidence.id,), status=LessonStatus.ACTIVE)
        learner.record.lessons.record(lesson)
        for number in range(8):
            episode = learner.wake(Task(id=f"{number}", goal=f"Order {number} of brushes", environment="chat", skill="chat"))
            with ThreadPoolExecutor(4) as threads:
                list(threads.map(lambda _, id=episode.id: learner.feedback(id, success=True), range(4)))  # type: ignore[misc]
        assert learner.record.lessons.get("l").helped == 8
