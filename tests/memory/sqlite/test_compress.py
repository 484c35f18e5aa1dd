"""Compression of the record."""

from __future__ import annotations

import numpy as np

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Lesson,
)
from lifelong.memory import Record, compress

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def fill(record: Record, count: int, **kinds: object) -> list[str]:
    episodes = [example_episode(number, **kinds) for number in range(count)]  # type: ignore[arg-type]
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])
    return [episode.id for episode in episodes]


def test_compress_drops_the_oldest_unverified_and_keeps_evidence(record: Record) -> None:
    fill(record, 3)
    for number in range(3, 7):
        record.episodes.record(example_episode(number, success=False), VECTOR)
    record.lessons.record(Lesson(id="l", tenant="default", skill="counting", text="t", episodes=("default-3",)))
    assert compress(record, "default", 10) == 0
    assert compress(record, "default", 5) == 2
    assert [episode.id for episode in record.episodes.find()] == ["default-0", "default-1", "default-2", "default-3", "default-6"]
    assert compress(record, "default", 2) == 3
    assert [episode.id for episode in record.episodes.find()] == ["default-2", "default-3"]
    assert compress(record, "default", 0) == 1
