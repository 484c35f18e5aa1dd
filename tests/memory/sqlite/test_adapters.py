"""Adapters in the record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import (
    Adapter,
    AdapterStatus,
    GateReport,
    NothingFound,
    SkillGate,
)
from lifelong.memory import Record

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def fill(record: Record, count: int, **kinds: object) -> list[str]:
    episodes = [example_episode(number, **kinds) for number in range(count)]  # type: ignore[arg-type]
    record.episodes.record_many([(episode, VECTOR) for episode in episodes])
    return [episode.id for episode in episodes]


def adapter(record: Record, **values: object) -> Adapter:
    name = record.adapters.next_name()
    return Adapter(name=name, path=f"/adapters/{name}", base="base", rank=4, **values)  # type: ignore[arg-type]


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

    def test_what_serves_anybody_is_listed_once(self, record: Record) -> None:
        fill(record, 1)
        first, second, third = (adapter(record) for _ in range(3))
        assert record.adapters.serving() == []
        record.adapters.publish(first, ["a", "b"])
        record.adapters.publish(replace(second, tenant="ann"), ["a"])
        record.adapters.record(third)
        assert record.adapters.serving() == [first.name, second.name]

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
