from __future__ import annotations

from lifelong.memory import Record
from tests.memory.sqlite.turns.test_store import index, said


def test_lines_are_kept_in_order_and_go_with_their_turns(record: Record) -> None:
    for number, id in enumerate(("a", "b", "c")):
        said(record, f"The garden of house {number} has roses.", id=id)
    index(record)
    record.profiles.write("default", [(3, 1, 1), (1, 3, 2), (99, 3, 1)])
    assert record.profiles.lines("default") == [(3, 1, 1), (1, 3, 2)]
    assert record.profiles.lines("somebody") == []
    record.profiles.write("somebody", [(2, 1, 1)])
    assert record.profiles.lines("somebody") == [], "no line of another tenant's turn"
    record.erase(["c"])
    assert record.profiles.lines("default") == [(1, 3, 2)]
    record.profiles.write("default", [])
    assert record.profiles.lines("default") == []


def test_a_pin_names_the_row_that_stands_for_a_saying(record: Record) -> None:
    said(record, "The garden has roses.", id="a")
    said(record, "The garden has roses.", id="b")
    index(record)
    record.profiles.pin("default", 2, True)
    record.profiles.pin("default", 2, True)
    assert record.profiles.pinned("default") == {1}
    assert record.profiles.pinned("somebody") == set()
    record.profiles.pin("default", 2, False)
    assert record.profiles.pinned("default") == set()
