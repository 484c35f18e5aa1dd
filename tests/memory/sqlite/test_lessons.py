"""Lessons in the record."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Lesson,
    LessonStatus,
    NothingFound,
)
from lifelong.memory import Record, posterior

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def fill(record: Record, count: int, **kinds: object) -> list[str]:
    episodes = [example_episode(number, **kinds) for number in range(count)]  # type: ignore[arg-type]
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])
    return [episode.id for episode in episodes]


class TestLessons:
    def test_a_lesson_known_already_gains_evidence_and_keeps_its_counts(self, record: Record) -> None:
        first, second = fill(record, 2)
        lesson = Lesson(id="l", tenant="default", skill="counting", text="Count.", episodes=(first,))
        record.lessons.record(lesson)
        record.lessons.credit(["l"], True)
        record.lessons.credit(["l", "erased-long-ago"], False)
        record.lessons.set_status(["l"], LessonStatus.ACTIVE)
        again = record.lessons.record(replace(lesson, episodes=(second,)))
        assert again == replace(lesson, episodes=(first, second), helped=1, harmed=1, status=LessonStatus.ACTIVE)
        assert record.lessons.find("default", "counting", LessonStatus.ACTIVE) == [again]
        assert record.lessons.find("ben") == []

    def test_a_lesson_without_its_evidence_is_refused(self, record: Record) -> None:
        with pytest.raises(NothingFound, match="rests on episode 'gone'"):
            record.lessons.record(Lesson(id="l", tenant="default", skill="s", text="t", episodes=("gone",)))
        assert record.lessons.find("default") == []

    def test_posterior_golden(self) -> None:
        lesson = Lesson(id="l", tenant="t", skill="s", text="t", episodes=(), helped=8, harmed=2)
        mean, low, high = posterior(lesson)
        assert (mean, low, high) == pytest.approx((0.75, 0.4822441, 0.9397823), abs=1e-6)
        # Independently: Beta(9, 3) lies below x with the chance that 9 or more of 11 coins of bias x fall heads.
        for x, chance in ((low, 0.025), (high, 0.975)):
            assert sum(comb(11, k) * x**k * (1 - x) ** (11 - k) for k in (9, 10, 11)) == pytest.approx(chance)
