"""Promised erasures survive until they are finished, and hide from the search for their own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties import examples

from lifelong.memory import Record
from lifelong.memory.sqlite.erasures import PendingErasure

PENDING = PendingErasure(
    id="b",
    asked="episode x",
    ids=("x", "y"),
    rebuild=True,
    needles=("the vault word is plum",),
    adapters=(("lifelong-v0001", "/adapters/1", "default", "chat"),),
    tenants=("default",),
)


def test_it_comes_back_as_it_was_and_in_another_process_too(tmp_path: Path) -> None:
    with Record(tmp_path / "record.sqlite3") as record:
        record.erasures.put(PENDING)
    with Record(tmp_path / "record.sqlite3") as record:
        assert record.erasures.find() == [PENDING]


def test_one_is_put_again_and_dropped_by_its_own_id(record: Record) -> None:
    other = PendingErasure(id="a", asked="tenant t", ids=(), rebuild=False)
    for one in (PENDING, other, PendingErasure(id="b", asked="episode x", ids=("x",), rebuild=True, erased=True)):
        record.erasures.put(one)
    assert [(one.id, one.erased) for one in record.erasures.find()] == [("a", False), ("b", True)]
    record.erasures.delete("b")
    record.erasures.delete("never there")
    assert record.erasures.find() == [other]


def test_its_words_do_not_stand_in_the_file_as_they_are(tmp_path: Path) -> None:
    with Record(tmp_path / "record.sqlite3") as record:
        record.erasures.put(PENDING)
        record.scrub()
        assert b"the vault word is plum" not in (tmp_path / "record.sqlite3").read_bytes()


def test_one_that_an_older_version_promised_is_begun_again(record: Record) -> None:
    body = json.dumps({"id": "old", "asked": "skill s", "episodes": ["x"], "rebuild": False, "planned": True})
    with record._database.transaction() as connection:
        connection.execute("INSERT INTO erasures VALUES ('old', ?)", (body,))
    assert record.erasures.find() == [PendingErasure(id="old", asked="skill s", ids=("x",), rebuild=False)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return Record(tmp_path_factory.mktemp("erasures") / "record.sqlite3")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40))
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_words_come_back(shared: Record, needles: list[str], asked: str) -> None:
    one = PendingErasure(id="any", asked=asked, ids=("x",), rebuild=True, needles=tuple(needles))
    shared.erasures.put(one)
    assert shared.erasures.find() == [one]
