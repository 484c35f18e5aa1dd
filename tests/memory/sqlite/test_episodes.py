"""Episodes in the record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Judge,
    MalformedTask,
    NothingFound,
    Outcome,
    StoreError,
)
from lifelong.memory import Record
from lifelong.memory.sqlite.episodes import read_steps

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def fill(record: Record, count: int, **kinds: object) -> list[str]:
    episodes = [example_episode(number, **kinds) for number in range(count)]  # type: ignore[arg-type]
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])
    return [episode.id for episode in episodes]


class TestEpisodes:
    def test_a_repeat_at_another_time_is_the_same_episode(self, record: Record) -> None:
        episode = example_episode(0)
        record.episodes.record(episode, VECTOR)
        record.episodes.record(replace(episode, created=99.0), VECTOR)
        assert record.episodes.find() == [episode]

    @pytest.mark.parametrize("vector", [np.zeros((1, 3)), np.array([np.nan, 0, 0]), np.zeros(0), np.zeros(4)])
    def test_a_vector_that_does_not_fit_is_refused(self, record: Record, vector: np.ndarray) -> None:
        record.episodes.record(example_episode(0), VECTOR)
        with pytest.raises(ValueError, match="embedding"):
            record.episodes.record(example_episode(1), vector.astype(np.float32))

    def test_one_bad_episode_keeps_out_its_whole_batch(self, record: Record) -> None:
        with pytest.raises(ValueError, match="embedding"):
            record.episodes.record_many([(example_episode(0), VECTOR), (example_episode(1), np.zeros(7, dtype=np.float32))])
        assert record.episodes.count() == 0

    def test_find_meets_every_condition(self, record: Record) -> None:
        fill(record, 3)
        fill(record, 2, tenant="ben", skill="", success=False)
        record.episodes.record(replace(example_episode(9), control=True), VECTOR)
        assert record.episodes.count(success=False) == 2
        assert [episode.id for episode in record.episodes.find(tenant="default", control=False, newest_first=True, limit=2)] == [
            "default-2",
            "default-1",
        ]
        assert [episode.id for episode in record.episodes.novel("ben")] == ["ben-0", "ben-1"]
        assert record.episodes.novel("default") == []
        assert record.episodes.tenants() == ["ben", "default"]

    def test_feedback_makes_an_episode_trainable(self, record: Record) -> None:
        record.episodes.record(replace(example_episode(0), outcome=Outcome(success=None)), VECTOR)
        assert record.episodes.count(trainable=True) == 0
        judged = record.episodes.judge("default-0", Outcome(success=False, judge=Judge.USER), correction="SELECT 1")
        assert judged.correction == "SELECT 1"
        assert record.episodes.find(trainable=True) == [judged]
        with pytest.raises(MalformedTask, match="cannot overrule"):
            record.episodes.judge("default-0", Outcome(success=True, judge=Judge.SELF))

    def test_assign_is_all_or_nothing(self, record: Record) -> None:
        fill(record, 1, skill="")
        with pytest.raises(NothingFound):
            record.episodes.assign(["default-0", "nobody"], "counting")
        assert record.episodes.get("default-0").skill == ""
        record.episodes.assign(["default-0"], "counting")
        assert record.episodes.skill_of(tenant="default") == {"default-0": "counting"}

    def test_vectors_come_back_bit_for_bit(self, record: Record) -> None:
        rows = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
        record.episodes.record_many([(example_episode(number), row) for number, row in enumerate(rows)])
        ids, found = record.episodes.vectors(tenant="default")
        assert ids == [f"default-{number}" for number in range(5)]
        np.testing.assert_array_equal(found, rows)
        assert record.episodes.vectors(tenant="default", ids=["default-3"])[0] == ["default-3"]
        assert record.episodes.vectors(tenant="nobody")[0] == []

    def test_some_steps_are_read_without_the_whole(self) -> None:
        episode = example_episode(0)
        last = len(episode.steps) - 1
        assert read_steps(episode.to_json(), {last}) == (episode.id, {last: episode.steps[last]})
        for damaged in ("{", "[]", '{"id": "a"}', '{"id": "a", "steps": []}', '{"id": "a", "steps": [{"step": "none of ours"}]}'):
            with pytest.raises(StoreError, match="damaged"):
                read_steps(damaged, {0})
