from __future__ import annotations

from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Adapter,
    AdapterStatus,
    GateReport,
    Judge,
    Lesson,
    LessonStatus,
    MalformedTask,
    NothingFound,
    Outcome,
    Receipt,
    SkillGate,
)
from lifelong.memory import Record, compress, memory_effect, posterior

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def fill(record: Record, count: int, **kinds: object) -> list[str]:
    episodes = [example_episode(number, **kinds) for number in range(count)]  # type: ignore[arg-type]
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])
    return [episode.id for episode in episodes]


def adapter(record: Record, **values: object) -> Adapter:
    name = record.adapters.next_name()
    return Adapter(name=name, path=f"/adapters/{name}", base="base", rank=4, **values)  # type: ignore[arg-type]


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


class TestAdapters:
    def test_names_are_never_used_twice(self, record: Record) -> None:
        assert [record.adapters.next_name(), record.adapters.next_name(), record.adapters.next_name("zero")] == [
            "lifelong-v0001",
            "lifelong-v0002",
            "zero-v0001",
        ]

    def test_publish_switches_and_rollback_returns(self, record: Record) -> None:
        store = record.adapters
        first, second = adapter(record), adapter(record)
        store.publish(first, ["a", "b"])
        store.publish(second, ["b", "c"])
        assert store.routes("default") == {"a": first.name, "b": second.name, "c": second.name}
        assert store.rollback("default", "b") == ["b"]
        assert store.rollback("default") == ["c"]
        assert store.routes("default") == {"a": first.name, "b": first.name}
        assert [one.status for one in store.find()] == [AdapterStatus.LIVE, AdapterStatus.RETIRED]
        assert store.rollback("default") == ["a", "b"]
        assert store.route("default", "a") == ""
        with pytest.raises(NothingFound, match="nothing to roll back"):
            store.rollback("default")

    def test_publishing_again_changes_nothing(self, record: Record) -> None:
        one = adapter(record)
        record.adapters.publish(one, ["a"])
        record.adapters.publish(one, ["a"])
        assert record.adapters.rollback("default") == ["a"]
        assert record.adapters.routes("default") == {}

    def test_what_serves_nothing_more_is_retired(self, record: Record) -> None:
        old, new = adapter(record), adapter(record)
        record.adapters.publish(old, ["a"])
        record.adapters.publish(new, ["a"])
        assert record.adapters.find(status=AdapterStatus.RETIRED) == [old.with_status(AdapterStatus.RETIRED)]

    def test_a_gate_report_comes_back_equal(self, record: Record) -> None:
        rows = (SkillGate(skill="a", tasks=3, live=0.1, candidate=0.5, gain_ci95=(0.1, 0.7), serves=True),)
        gated = adapter(record, recipe={"seed": 1}, gate=GateReport(accepted=True, target="a", skills=rows, reason="better"))
        record.adapters.record(gated)
        assert record.adapters.get(gated.name) == gated

    def test_a_name_cannot_change_hands(self, record: Record) -> None:
        one = adapter(record)
        record.adapters.record(one)
        with pytest.raises(ValueError, match="is taken"):
            record.adapters.record(replace(one, tenant="ben"))

    @pytest.mark.parametrize("inside", [True, False])
    def test_an_adapter_moves_with_the_home_only_if_it_lies_in_it(self, tmp_path: Path, inside: bool) -> None:
        home, moved, outside = tmp_path / "home", tmp_path / "moved", tmp_path / "outside"
        home.mkdir()
        with Record(home / "record.sqlite3") as record:
            record.adapters.record(replace(adapter(record), path=str((home if inside else outside) / "one")))
        home.rename(moved)
        with Record(moved / "record.sqlite3") as record:
            [found] = record.adapters.find()
            assert found.path == str((moved if inside else outside) / "one")
            record.adapters.publish(found, ["counting"])
            assert record.adapters.route("default", "counting") == found.name

    def test_an_adapter_trained_on_what_was_erased_meanwhile_is_refused(self, record: Record) -> None:
        [id] = fill(record, 1)
        candidate = adapter(record, episodes=(id,))
        record.erase([id])
        with pytest.raises(NothingFound, match="erased meanwhile"):
            record.adapters.publish(candidate, ["a"])
        assert record.adapters.routes("default") == {}


def test_receipts(record: Record) -> None:
    receipt = Receipt(id="r", asked="tenant=x", episodes=2, lessons=1, adapters_erased=("v1",), adapters_rebuilt=(), probe={"rows": 0.0})
    record.receipts.record(receipt)
    assert record.receipts.find() == [receipt]


def test_meter_counts_judged_tasks_that_were_offered_help(record: Record) -> None:
    def put(number: int, **values: object) -> None:
        record.episodes.record(replace(example_episode(number), **values), VECTOR)  # type: ignore[arg-type]

    won, lost = Outcome(success=True, judge=Judge.USER), Outcome(success=False, judge=Judge.USER)
    for number in range(3):
        put(number, offered=True, outcome=won)
    put(3, offered=True, outcome=lost)
    put(4, offered=True, control=True, outcome=lost)
    put(5, offered=True, outcome=Outcome(success=True))
    put(6, outcome=lost)
    put(7, offered=True, skill="other", control=True, outcome=won)
    reading = memory_effect(record, "default", "counting")
    assert (reading.treated_successes, reading.treated_total, reading.control_successes, reading.control_total) == (3, 4, 0, 1)
    assert reading.difference == 0.75
    low, high = reading.ci95
    assert low < 0.75 < high
    assert memory_effect(record, "ben").difference is None
    assert memory_effect(record, "default").control_total == 2


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


def test_a_renamed_skill_takes_its_route_along_and_joins_one_that_is_there(record: Record) -> None:
    for number in range(4):
        record.episodes.record(replace(example_episode(number), skill="old" if number < 2 else "new"), VECTOR)
    ours, theirs = adapter(record, target="old"), adapter(record)
    record.adapters.publish(ours, ["old"])
    assert record.rename_skill("default", "old", "other") == 2
    assert record.adapters.routes("default") == {"other": ours.name}
    assert record.adapters.get(ours.name).target == "other", "what is rebuilt after an erasure is found by the skill's name"
    record.adapters.publish(theirs, ["new"])
    assert record.rename_skill("default", "other", "new") == 2
    assert record.adapters.routes("default") == {"new": theirs.name}
    assert set(record.episodes.skills(tenant="default")) == {"new"}
    assert record.adapters.get(ours.name).status is AdapterStatus.RETIRED
    assert record.rename_skill("elsewhere", "new", "mine") == 0
    record.rename_skill("default", "new", "")
    assert record.adapters.routes("default") == {}
    assert record.adapters.get(theirs.name).status is AdapterStatus.RETIRED
    assert len(record.episodes.novel("default")) == 4
