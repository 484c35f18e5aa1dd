from __future__ import annotations

import numpy as np
import pytest

from lifelong.memory import Record
from lifelong.memory.index import turn_index
from lifelong.memory.index.turn_index import TurnIndex
from lifelong.memory.sqlite.turns.store import TurnStore
from tests.memory.sqlite.turns.test_store import ENCODER, index, said, steps_of


def test_the_nearest_turn_of_the_tenant_is_found_and_new_ones_join(record: Record) -> None:
    said(record, "My sister Ada lives in Bern.", id="a")
    said(record, "The harbour has many ships.", id="b")
    said(record, "My sister Ada lives in Bern.", id="c", tenant="other")
    index(record)
    turns = TurnIndex()
    vector = ENCODER.encode(["Where does my sister Ada live?"])[0]
    assert turns.nearest(record, "default", vector, 1) == [1]
    said(record, "Where does my sister Ada live?", id="d")
    index(record)
    assert turns.nearest(record, "default", vector, 1) == [4]
    assert turns.nearest(record, "other", vector, 9) == [3]


def test_cells_find_what_an_exact_search_finds(record: Record) -> None:
    texts = [
        f"The {thing} of house {number} is {colour}."
        for number in range(40)
        for thing in ("door", "roof", "gate")
        for colour in ("red", "blue")
    ]
    for number, text in enumerate(texts):
        said(record, text, id=str(number), session=str(number))
    index(record)
    exact, cells = TurnIndex(), TurnIndex(flat_limit=100)
    queries = ENCODER.encode(texts[::7])
    cells.nearest(record, "default", queries[0], 1)
    cells.wait("default")
    shares = []
    for query in queries:
        right, got = exact.nearest(record, "default", query, 10), cells.nearest(record, "default", query, 10)
        shares.append(len(set(right) & set(got)) / 10)
    assert np.mean(shares) >= 0.9
    assert exact._of("default").partition.cells_for == 0
    assert cells._of("default").partition.cells_for > 100


def test_cells_are_made_once_and_take_in_what_is_said_later(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled: list[str] = []
    sample = TurnStore.sample
    monkeypatch.setattr(TurnStore, "sample", lambda store, tenant, stride: (sampled.append(tenant), sample(store, tenant, stride))[1])
    for number in range(120):
        said(record, f"House {number} is on street {number * 7 % 120}.", id=str(number), session=str(number))
    index(record)
    turns = TurnIndex(flat_limit=100)
    for text in ("House 3", "House 5", "House 7"):
        turns.nearest(record, "default", ENCODER.encode([text])[0], 5)
        turns.wait("default")
    assert sampled == ["default"]
    said(record, "The harbour has many ships.", id="new")
    index(record)
    assert turns.nearest(record, "default", ENCODER.encode(["The harbour has many ships."])[0], 1) == [121]


def test_rows_that_repeat_others_are_read_once(record: Record) -> None:
    turns, vector, costs = TurnIndex(), ENCODER.encode(["roses"])[0], []
    said(record, "My sister Ada lives in Bern.", id="a")
    for count in (10, 100):
        for number in range(record.turns.count("default"), count):
            said(record, "The garden has roses.", id=str(number), session=str(number))
        index(record)
        turns.nearest(record, "default", vector, 5)
        with steps_of(record) as steps:
            assert len(turns.nearest(record, "default", vector, 5)) == 2
        costs.append(len(steps))
    assert costs[0] == costs[1]


def test_many_repetitions_of_few_sayings_need_no_cells(record: Record) -> None:
    for number in range(150):
        said(record, f"The garden has roses of kind {number % 3}.", id=str(number), session=str(number))
    index(record)
    turns = TurnIndex(flat_limit=100)
    vector = ENCODER.encode(["roses"])[0]
    turns.nearest(record, "default", vector, 5)
    turns.wait("default")
    assert len(turns.nearest(record, "default", vector, 5)) == 3
    assert turns._of("default").partition.cells_for == 0


def test_many_turns_are_read_into_cells_at_once(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_index, "INLINE", 10)
    monkeypatch.setattr(turn_index, "SLICE", 16)
    for number in range(120):
        said(record, f"House {number} is on street {number * 7 % 120}.", id=str(number), session=str(number))
    index(record)
    turns = TurnIndex(flat_limit=100)
    turns.nearest(record, "default", ENCODER.encode(["House 3"])[0], 5)
    turns.wait("default")
    partition = turns._of("default").partition
    assert (len(partition), partition.cells_for) == (120, 120)
    assert turns.nearest(record, "default", ENCODER.encode(["House 119 is on street 113."])[0], 1) == [120]


def test_forgotten_tenants_leave_memory(record: Record) -> None:
    said(record, "My sister Ada lives in Bern.", id="a")
    index(record)
    turns = TurnIndex()
    turns.nearest(record, "default", ENCODER.encode(["Ada"])[0], 1)
    record.erase(["a"])
    turns.forget(["default"])
    assert turns.nearest(record, "default", ENCODER.encode(["Ada"])[0], 1) == []
