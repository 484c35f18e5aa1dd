"""What does harm is withdrawn by itself, and comes back when something new is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripted import open_scripted

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Episode, Judge, Lesson, LessonStatus, Outcome, Task
from lifelong.orchestrator import LifelongLearner
from lifelong.orchestrator.effects import effects_of, is_withdrawn, restore, review


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[LifelongLearner]:
    with open_scripted(tmp_path) as opened:
        yield opened


def put(learner: LifelongLearner, number: int, *, success: bool, control: bool = False, **values: object) -> Episode:
    outcome = Outcome(success=success, judge=Judge.USER)
    about: dict[str, Any] = {"skill": "counting", "offered": True, "control": control, "outcome": outcome, **values}
    episode = replace(example_episode(number), **about)
    vector = np.zeros(learner._components.encoder.dimensions, dtype=np.float32)
    learner.record.episodes.record(episode, vector + 1)
    review(learner._components, episode)
    return episode


def test_memory_that_does_harm_is_withdrawn_and_comes_back_with_something_new(learner: LifelongLearner) -> None:
    for number in range(10):
        put(learner, number, success=False)
    for number in range(10, 17):
        put(learner, number, success=True, control=True)
        assert not is_withdrawn(learner.record, "default", "counting"), "fewer than eight prove nothing"
    put(learner, 17, success=True, control=True)
    assert is_withdrawn(learner.record, "default", "counting")
    assert not is_withdrawn(learner.record, "default", "other")
    [withdrawn] = effects_of(learner.record, "default").withdrawn
    assert "0% of 10 runs succeeded with it, 100% of 8 without" in withdrawn.reason
    restore(learner.record, "default", "counting")
    assert not is_withdrawn(learner.record, "default", "counting")
    assert effects_of(learner.record, "default").withdrawn == ()
    for number in range(18, 26):
        put(learner, number, success=True, control=True)
    assert not is_withdrawn(learner.record, "default", "counting"), "what was before does not count any more"


def test_memory_that_helps_or_does_nothing_stays(learner: LifelongLearner) -> None:
    for number in range(16):
        put(learner, number, success=number % 2 == 0)
    for number in range(16, 24):
        put(learner, number, success=number % 2 == 0, control=True)
    assert not is_withdrawn(learner.record, "default", "counting")


def test_many_failures_of_one_session_prove_nothing(learner: LifelongLearner) -> None:
    task = replace(example_episode(0).task, session="one")
    for number in range(30):
        put(learner, number, success=False, task=task)
    for number in range(30, 38):
        put(learner, number, success=True, control=True)
    assert not is_withdrawn(learner.record, "default", "counting")


def test_a_lesson_that_does_harm_is_retired_alone(learner: LifelongLearner) -> None:
    evidence = put(learner, 0, success=True)
    bad, good = (
        Lesson(id=id, tenant="default", skill="counting", text=f"Lesson {id}.", episodes=(evidence.id,), status=LessonStatus.ACTIVE)
        for id in ("bad", "good")
    )
    for lesson in (bad, good):
        learner.record.lessons.record(lesson)
    for number in range(1, 31):
        lesson = bad if number % 3 == 0 else good
        put(learner, number, success=lesson is good, lessons=(lesson.id,))
        learner.record.lessons.credit([lesson.id], lesson is good)
    for number in range(31, 39):
        put(learner, number, success=True, control=True)
    assert learner.record.lessons.get("bad").status is LessonStatus.RETIRED
    assert learner.record.lessons.get("good").status is LessonStatus.ACTIVE
    found = {one.id: one.differences[0] for one in effects_of(learner.record, "default").lessons}
    assert found["bad"].difference == -1
    assert found["good"].difference == 0


def test_what_is_withdrawn_is_not_shown_any_more(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        first = learner.wake(Task(id="0", goal="Order 5 of brushes", environment="chat", skill="chat"))
        lesson = Lesson(id="l", tenant="default", skill="chat", text="Count twice.", episodes=(first.id,), status=LessonStatus.ACTIVE)
        learner.record.lessons.record(lesson)
        asked = Task(id="1", goal="Order 6 of brushes", environment="chat", skill="chat")
        assert learner.wake(asked).lessons == ("l",)
        for number in range(10):
            put(learner, number, success=False, skill="chat")
        for number in range(10, 18):
            put(learner, number, success=True, control=True, skill="chat")
        episode = learner.wake(replace(asked, id="2"))
        assert (episode.lessons, episode.offered) == ((), False)
