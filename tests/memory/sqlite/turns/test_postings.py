"""Kept lists of terms are those of the record: after additions, erasures by any process, and whatever is wanted of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.memory import Record
from lifelong.memory.sqlite.turns import postings as kept
from lifelong.memory.sqlite.turns.store import TurnStore, term_number
from tests.memory.sqlite.turns.test_store import index, said

WORDS = ("garden", "heron", "osprey", "wall")


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record(tmp_path / "record.sqlite3") as opened:
        yield opened


def lists(store: TurnStore, *words: str, tenant: str = "default") -> list[tuple[list[int], list[int]]]:
    return [(one.turns.tolist(), one.counts.tolist()) for one in store.lists(tenant, words or WORDS).postings]


def read_anew(record: Record, *words: str, tenant: str = "default") -> list[tuple[list[int], list[int]]]:
    return lists(TurnStore(record._database), *words, tenant=tenant)


def rows_read(record: Record, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows or lists of terms each further query brings."""
    counted, original = list[int](), record._database.rows

    def rows(sql: str, values: tuple[object, ...] = ()) -> list[object]:
        found = original(sql, values)
        if "turn_terms" in sql:
            counted.append(len(found))
        return found

    monkeypatch.setattr(record._database, "rows", rows)
    return counted


def test_what_has_come_since_is_read_and_nothing_twice(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        said(record, f"The garden is wet near the garden wall {number}.", id=str(number))
    index(record)
    assert lists(record.turns, "garden") == [([1, 2, 3, 4, 5], [2, 2, 2, 2, 2])]
    said(record, "A heron in the garden.", id="later")
    index(record)
    counted = rows_read(record, monkeypatch)
    assert lists(record.turns, "garden") == [([1, 2, 3, 4, 5, 6], [2, 2, 2, 2, 2, 1])]
    assert counted == [1]
    assert lists(record.turns, "garden", "heron") == read_anew(record, "garden", "heron")


def test_more_than_was_read_before_is_read_when_it_is_wanted(record: Record) -> None:
    for number in range(9):
        said(record, f"The garden is wet {number}.", id=str(number))
    index(record)
    term = term_number("default", "garden")
    store = kept.KeptPostings(record._database)
    for most in (3, 2, 7, 20, 4):
        assert store.read("default", {term: 9}, {term: most})[term].turns.tolist() == list(range(1, 10))[-most:]


def test_an_erasure_by_another_process_reaches_what_is_kept(record: Record, tmp_path: Path) -> None:
    for number in range(4):
        said(record, f"The garden is wet {number}.", id=str(number))
    index(record)
    assert lists(record.turns, "garden") == [([1, 2, 3, 4], [1, 1, 1, 1])]
    with Record(tmp_path / "record.sqlite3") as other:
        other.erase(["1"])
        said(other, "The garden is dry.", id="other")
        index(other)
        assert lists(record.turns, "garden") == read_anew(other, "garden") == [([1, 3, 4, 5], [1, 1, 1, 1])]


def test_nothing_stays_in_memory_that_is_forgotten_and_little_of_the_rest(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        said(record, f"The garden wall {number} has an osprey{number}.", id=str(number))
    index(record)
    lists(record.turns)
    record.turns.forget()
    assert (dict(record.turns._kept._kept), record.turns._kept._entries) == ({}, 0)
    monkeypatch.setattr(kept, "ENTRIES", 7)
    for number in range(6):
        assert lists(record.turns, "garden", f"osprey{number}") == read_anew(record, "garden", f"osprey{number}")
        assert record.turns._kept._entries == sum(len(one.postings) for one in record.turns._kept._kept.values()) <= 7
    monkeypatch.setattr(kept, "TERMS", 2)
    lists(record.turns, *(f"osprey{number}" for number in range(6)))
    assert len(record.turns._kept._kept) == 2


def test_what_is_read_while_something_is_erased_is_not_kept(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    said(record, "The garden is wet.", id="a")
    index(record)
    store, original = record.turns._kept, record.turns._kept._newest

    def erased_meanwhile(term: int, most: int) -> object:
        found = original(term, most)
        record.turns.forget()
        return found

    monkeypatch.setattr(store, "_newest", erased_meanwhile)
    assert lists(record.turns, "garden") == [([1], [1])]
    assert not store._kept


def test_after_a_long_absence_the_lists_are_read_anew(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "NEWEST", 3)
    said(record, "The garden is wet.", id="first")
    index(record)
    lists(record.turns)
    for number in range(6):
        said(record, f"The garden is dry {number}.", id=str(number))
    index(record)
    assert lists(record.turns) == read_anew(record)


EVENTS = st.lists(st.tuples(st.sampled_from(["say", "say", "erase", "ask"]), st.lists(st.sampled_from(WORDS), min_size=1)), max_size=12)


@settings(deadline=None, max_examples=25)
@given(EVENTS)
def test_whatever_happens_the_lists_are_those_of_the_record(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, list[str]]]
) -> None:
    with Record(tmp_path_factory.mktemp("home") / "record.sqlite3") as record:
        known: list[str] = []
        for number, (event, words) in enumerate(events):
            if event == "say":
                tenant = ("default", "other")[number % 2]
                said(record, f"The {' and the '.join(words)} stood here.", id=f"run-{number}", tenant=tenant)
                known.append(f"run-{number}")
                index(record)
            elif event == "erase" and known:
                record.erase([known.pop(len(known) // 2)])
                index(record)
            for tenant in ("default", "other"):
                assert lists(record.turns, *words, tenant=tenant) == read_anew(record, *words, tenant=tenant)
