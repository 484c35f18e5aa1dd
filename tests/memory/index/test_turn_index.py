from __future__ import annotations

import numpy as np

from lifelong.memory import Record
from lifelong.memory.index.turn_index import TurnIndex
from tests.memory.sqlite.turns.test_store import ENCODER, index, said


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


def test_forgotten_tenants_leave_memory(record: Record) -> None:
    said(record, "My sister Ada lives in Bern.", id="a")
    index(record)
    turns = TurnIndex()
    turns.nearest(record, "default", ENCODER.encode(["Ada"])[0], 1)
    record.erase(["a"])
    turns.forget(["default"])
    assert turns.nearest(record, "default", ENCODER.encode(["Ada"])[0], 1) == []
