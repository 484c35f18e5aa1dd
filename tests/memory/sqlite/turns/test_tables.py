from __future__ import annotations

from lifelong.memory import Record


def test_counts_follow_the_turns(record: Record) -> None:
    from tests.memory.sqlite.turns.test_store import index, said

    said(record, "My sister Ada lives in Bern.", id="a")
    said(record, "The garden has roses and a pond.", id="b")
    index(record)
    counted = record._database.rows("SELECT turns, length FROM turn_counts")
    assert counted == record._database.rows("SELECT count(*), sum(length) FROM turns")
    record.erase(["a", "b"])
    assert record._database.rows("SELECT * FROM turn_counts") == []
