"""State under exact keys, and what became of the keys that were strings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.checks.cue_memory import example_episode
from lifelong.core import StoreError
from lifelong.memory import Record
from lifelong.memory.sqlite.schema import CUES, NAMES, TABLES
from lifelong.orchestrator.run_state import DiscoverCounts, HomeStamp, SleepReport, relabel_count

VECTOR = np.array([1, 0, 0], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Mark:
    KIND: ClassVar[str] = "mark"
    tenant: str = ""
    skill: str = ""
    id: str = ""
    pairs: tuple[tuple[int, str], ...] = ()
    note: str | None = None


def test_a_value_comes_back_as_it_was(record: Record) -> None:
    mark = Mark(tenant="ann", skill="s", id="1", pairs=((1, "a"), (2, "b")))
    record.state.put(mark)
    assert record.state.get(Mark, tenant="ann", skill="s", id="1") == mark
    assert record.state.get(Mark, tenant="ann", skill="s") is None


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """One record for all examples of a property, because making a file takes longer than all that is asked of it."""
    with Record(tmp_path_factory.mktemp("state") / "record.sqlite3") as record:
        yield record


@given(st.lists(st.tuples(*[st.sampled_from(["", "ann", "anna", "an%", "a_n", "ann/s"])] * 3), min_size=1, unique=True))
def test_what_is_deleted_is_one_exact_key(shared: Record, keys: list[tuple[str, str, str]]) -> None:
    with shared._database.transaction() as connection:
        connection.execute("DELETE FROM run_state")
    for tenant, skill, id in keys:
        shared.state.put(Mark(tenant=tenant, skill=skill, id=id))
    tenant, skill, id = keys[0]
    shared.state.delete(Mark, tenant=tenant, skill=skill, id=id)
    assert {(m.tenant, m.skill, m.id) for m in shared.state.find(Mark)} == set(keys[1:])
    with shared._database.transaction() as connection:
        shared.state.erase_tenant(connection, "ann")
    assert {m.tenant for m in shared.state.find(Mark)} == {key[0] for key in keys[1:]} - {"ann"}


def test_a_damaged_value_is_an_error_that_names_it(record: Record) -> None:
    with record._database.transaction() as connection:
        connection.execute("INSERT INTO run_state VALUES ('mark', '', '', '', '{')")
    with pytest.raises(StoreError, match="'mark'"):
        record.state.get(Mark)


def test_new_episodes_do_not_depend_on_what_was_erased(record: Record) -> None:
    ids = [example_episode(number).id for number in range(7)]
    record.episodes.record_many([(example_episode(number), VECTOR) for number in range(6)])
    record.state.mark_learned([*ids, "never recorded"])
    assert record.state.new_episodes("default", "counting") == 0
    record.erase(ids[:4])
    record.episodes.record(example_episode(6), VECTOR)
    assert record.state.new_episodes("default", "counting") == 1
    record.state.mark_changed(ids[4:5])
    assert record.state.new_episodes("default", "counting") == 2


def test_the_state_of_a_skill_follows_its_name(record: Record) -> None:
    record.episodes.record(example_episode(0, skill="old"), VECTOR)
    record.state.put(Mark(tenant="default", skill="old", note="kept"))
    record.rename_skill("default", "old", "new")
    assert record.state.get(Mark, tenant="default", skill="new") == Mark(tenant="default", skill="new", note="kept")
    assert record.state.find(Mark, skill="old") == []


def test_keys_that_were_strings_become_typed_state(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite3"
    with sqlite3.connect(file) as connection:
        for statement in (*TABLES, *CUES, *NAMES):
            connection.execute(statement)
        pending = {"id": "e1", "asked": "tenant=ann", "ids": ["a", "b"], "rebuild": True, "erased": False}
        report = {"number": 2, "tenant": "ann", "kind": "lamps", "adapter": "v1", "published": True, "reason": "", "lessons": 1}
        report |= {"samples": 9, "replayed": 0, "loss": [1.0, 0.5], "gate": [], "phases": {"reflect": 1.0}}
        rows = {"encoder": "hashed", "discover/ann": {"waiting": 3, "named": 1}, "relabel_count/ann": 4, "forget/pending": pending}
        rows |= {"night/0002": report, "night/pending": {"number": 3}, "night/count": 2}
        connection.executemany("INSERT INTO journal VALUES (?, ?)", [(key, json.dumps(value)) for key, value in rows.items()])
        connection.execute("PRAGMA user_version=3")
    connection.close()
    with Record(file) as record:
        assert record.state.get(HomeStamp) == HomeStamp(encoder="hashed")
        assert record.state.get(DiscoverCounts, tenant="ann") == DiscoverCounts(tenant="ann", waiting=3, named=1)
        assert relabel_count(record, "ann") == 4
        [erasure] = record.erasures.find()
        assert (erasure.id, erasure.ids, erasure.rebuild, erasure.planned) == ("e1", ("a", "b"), True, False)
        [night] = record.state.find(SleepReport, tenant="ann")
        assert (night.skill, night.number, night.loss, night.state) == ("lamps", 2, (1.0, 0.5), "published")
