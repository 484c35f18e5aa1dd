"""The transaction of an erasure: all of it or nothing, and a tenant of whom nothing is left is named nowhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Adapter, AdapterStatus, Lesson, Recall, Receipt
from lifelong.memory import Record
from lifelong.memory.sqlite import erase as module

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def filled(record: Record) -> Adapter:
    for number in range(3):
        for tenant in ("ann", "bob"):
            record.episodes.record(example_episode(number, tenant=tenant), VECTOR)
    record.lessons.record(
        Lesson(id="l", tenant="ann", skill="counting", text="Count all rows.", episodes=("ann-0", "ann-1"), author="evidence")
    )
    name = record.adapters.next_name()
    adapter = Adapter(name=name, path=f"/adapters/{name}", base="base", rank=4, tenant="ann", episodes=("ann-0", "ann-2"))
    record.adapters.publish(adapter, ["counting"])
    return adapter


def named(record: Record, word: str) -> set[str]:
    """Tables in which a word stands."""
    database = record._database
    tables = [name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table for table in tables if any(word in repr(row) for row in database.rows(f'SELECT * FROM "{table}"'))}


def test_what_rests_on_an_episode_goes_with_it_and_the_rest_stays(record: Record) -> None:
    adapter = filled(record)
    erased = module.erase(record, ["ann-0"])
    assert (erased.episodes, erased.lessons, erased.adapters, erased.tenants) == (1, ("l",), (adapter.name,), ("ann",))
    assert record.lessons.find(tenant="ann") == []
    kept = record.adapters.get(adapter.name)
    assert (kept.status, kept.episodes) == (AdapterStatus.ERASED, ("ann-2",))
    assert record.adapters.routes("ann") == {}
    assert [episode.id for episode in record.episodes.find(tenant="ann")] == ["ann-1", "ann-2"]
    assert record.state.new_episodes("ann", "counting") == 2, "what the lost adapter had learned is new again"


def test_a_tenant_of_whom_nothing_is_left_is_named_nowhere(record: Record) -> None:
    filled(record)
    asked = "tenant=ann skill=counting"
    record.receipts.record(Receipt(id="r", asked=asked, episodes=0, lessons=0, adapters_erased=(), adapters_rebuilt=(), probe={}))
    module.erase(record, [f"ann-{number}" for number in range(3)])
    assert named(record, "ann") == set()
    assert len(record.episodes.find(tenant="bob")) == 3


def test_an_erasure_that_fails_has_erased_nothing(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(record)

    def failing(*_: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(module, "raise_generations", failing)
    with pytest.raises(RuntimeError, match="in the middle"):
        module.erase(record, ["ann-0"])
    assert len(record.episodes.find(tenant="ann")) == 3
    assert len(record.lessons.find(tenant="ann")) == 1


def test_unknown_ids_change_nothing(record: Record) -> None:
    filled(record)
    erased = module.erase(record, ["never there"], ["nor this lesson"])
    assert (erased.episodes, erased.lessons, erased.tenants) == (0, (), ())
    assert len(record.episodes.find(tenant="ann")) == 3


def test_copies_of_what_is_gone_already_are_taken_out(record: Record) -> None:
    words = "the vault word is plum and nothing else"
    for number in range(2):
        plain = example_episode(number)
        record.episodes.record(replace(plain, steps=(*plain.steps, Recall(text=f"Earlier: {words}"))), VECTOR)
    erased = module.erase_copies(record, [words], ["default-0"])
    assert (erased.episodes, erased.rewritten, erased.derived) == (0, ("default-0",), ())
    assert [words in repr(episode) for episode in record.episodes.find()] == [False, True], "only those that are named are searched"
