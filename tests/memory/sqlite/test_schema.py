"""The tables keep their own counts, whatever is written, moved and removed."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import Action, Episode, Observation, Outcome, Task
from lifelong.memory import Record
from lifelong.memory.sqlite.schema import DRAWN, NUMBERS, STEPS, TALLIES, VERSION, add_functions


def opened() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    add_functions(connection)
    for step in STEPS:
        for statement in step:
            connection.execute(statement)
    return connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with opened() as one:
        yield one
    one.close()


def insert(connection: sqlite3.Connection, id: str, tenant: str, skill: str) -> None:
    connection.execute(
        "INSERT INTO episodes (id, tenant, skill, environment, trusted, trainable, control, offered, body) "
        "VALUES (?, ?, ?, '', 0, 0, 0, 0, '{}')",
        (id, tenant, skill),
    )


def test_every_format_is_a_step_and_the_last_is_the_version(connection: sqlite3.Connection) -> None:
    assert len(STEPS) == VERSION
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"episodes", "vectors", "lessons", "adapters", "skills", "changes", "run_state", "learned", "erasures", "quoted"} <= tables
    assert "journal" not in tables


def without_likelihood(id: str) -> Episode:
    """What a server that tells no likelihoods leaves."""
    task = Task(id=f"task of {id}", goal="Where?", tenant="ann", environment="chat", session="s", skill="old")
    steps = (Observation(text="Where?"), Action(text="Here.", likelihood=-math.inf))
    return Episode(id=id, task=task, steps=steps, outcome=Outcome(success=True), skill="old", demonstration=True, created=2.0)


def check_that_bodies_are_read(record: Record, ids: list[str]) -> None:
    assert record.episodes.sessions("ann", 10) == [("s", len(ids), 2.0)]
    [action] = [step for step in record.episodes.get(ids[-1]).steps if isinstance(step, Action)]
    assert action.likelihood == -math.inf
    assert record.episodes.demonstrations(without_likelihood("another")) == []
    assert record.rename_skill("ann", "old", "new") == len(ids)


def test_an_infinite_likelihood_stops_no_query(tmp_path: Path) -> None:
    with Record(tmp_path / "record.sqlite3") as record:
        record.episodes.record(without_likelihood("a"), np.ones(2, dtype=np.float32))
        record.open_runs.begin(without_likelihood("b"), np.ones(2, dtype=np.float32))
        check_that_bodies_are_read(record, ["a"])
        assert record.open_runs.get("b").skill == "new"


def test_older_files_with_infinite_likelihoods_are_repaired(tmp_path: Path) -> None:
    file, before = tmp_path / "record.sqlite3", STEPS.index(NUMBERS)
    with closing(sqlite3.connect(file)) as older, older:
        add_functions(older)
        for statement in (statement for step in STEPS[:before] for statement in step):
            older.execute(statement)
        body = without_likelihood("a").to_json()
        assert "-2e308" in body
        older.execute(
            "INSERT INTO episodes (id, tenant, skill, environment, trusted, trainable, control, offered, body, demonstration) "
            "VALUES ('a', 'ann', 'old', 'chat', 0, 0, 0, 0, ?, 1)",
            (body.replace("-2e308", "-Infinity"),),
        )
        older.execute(f"PRAGMA user_version={before}")
    with Record(file) as record:
        check_that_bodies_are_read(record, ["a"])


Writes = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(["", "x", "y"]),
        st.booleans(),
        st.sampled_from([None, 0, 1]),
        st.tuples(st.booleans(), st.booleans(), st.booleans()),
    ),
    max_size=25,
)


@given(Writes)
def test_counts_are_those_of_the_rows(writes: list[tuple[str, str, str, bool, int | None, tuple[bool, bool, bool]]]) -> None:
    connection = opened()
    for id, tenant, skill, remove, success, flags in writes:
        there = connection.execute("SELECT 1 FROM episodes WHERE id = ?", (id,)).fetchone()
        if there and remove:
            connection.execute("DELETE FROM episodes WHERE id = ?", (id,))
            continue
        if not there:
            insert(connection, id, tenant, skill)
        columns = "skill = ?, success = ?, trusted = ?, control = ?, offered = ?"
        connection.execute(f"UPDATE episodes SET {columns} WHERE id = ?", (skill, success, *flags, id))
    rows = connection.execute("SELECT tenant, skill, control, offered AND trusted, coalesce(success, -1) FROM episodes").fetchall()
    assert dict(connection.execute("SELECT tenant, episodes FROM tenants")) == Counter(row[0] for row in rows)
    counted = {(tenant, skill): count for tenant, skill, count in connection.execute("SELECT * FROM skills")}
    assert counted == Counter(row[:2] for row in rows if row[1])
    assert {tuple(key): count for *key, count in connection.execute("SELECT * FROM tallies")} == Counter(rows)
    connection.close()


def test_an_older_file_is_counted_once(connection: sqlite3.Connection) -> None:
    older = sqlite3.connect(":memory:")
    add_functions(older)
    before = STEPS.index(TALLIES)
    for statement in (statement for step in STEPS[:before] for statement in step):
        older.execute(statement)
    for number in range(5):
        insert(older, str(number), "ann", "x" if number else "")
    for statement in STEPS[before]:
        older.execute(statement)
    assert older.execute("SELECT skill, success, episodes FROM tallies ORDER BY skill").fetchall() == [("", -1, 1), ("x", -1, 4)]
    older.execute("DELETE FROM episodes")
    assert older.execute("SELECT * FROM tallies").fetchall() == []
    older.close()


def test_a_row_number_is_never_used_twice(connection: sqlite3.Connection) -> None:
    insert(connection, "a", "ann", "")
    [(first,)] = connection.execute("SELECT sequence FROM episodes").fetchall()
    connection.execute("DELETE FROM episodes")
    insert(connection, "b", "ann", "")
    assert connection.execute("SELECT sequence FROM episodes").fetchall() == [(first + 1,)]


def test_evidence_cannot_vanish_under_what_it_proves(connection: sqlite3.Connection) -> None:
    insert(connection, "a", "ann", "x")
    connection.execute("INSERT INTO lessons VALUES ('l', 'ann', 'x', 'active', 0, 0, 'text', 'evidence')")
    connection.execute("INSERT INTO lesson_episodes VALUES ('l', 'a')")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("DELETE FROM episodes WHERE id = 'a'")
    connection.execute("DELETE FROM lessons WHERE id = 'l'")
    connection.execute("DELETE FROM episodes WHERE id = 'a'")


def test_the_log_has_one_entry_a_row_and_kind_and_loses_it_with_the_row(connection: sqlite3.Connection) -> None:
    insert(connection, "a", "ann", "")
    connection.execute("UPDATE episodes SET skill = 'x' WHERE id = 'a'")
    for success in (1, 0, 1):
        connection.execute("UPDATE episodes SET success = ? WHERE id = 'a'", (success,))
    assert [kind for (kind,) in connection.execute("SELECT kind FROM changes ORDER BY number")] == ["filed", "judged"]
    connection.execute("DELETE FROM episodes")
    assert connection.execute("SELECT count(*) FROM changes").fetchone() == (0,)


def test_ids_of_older_chats_are_no_digests_any_more_and_nothing_is_indexed_again() -> None:
    older = sqlite3.connect(":memory:")
    add_functions(older)
    before = STEPS.index(DRAWN)
    for statement in (statement for step in STEPS[:before] for statement in step):
        older.execute(statement)
    columns = "id, tenant, skill, environment, trusted, trainable, control, offered, body"
    digest = "0123456789abcdef" * 2
    for environment in ("chat", "database-v1"):
        body = f'{{"task": {{"id": "{digest}"}}, "likelihood": -2e308}}'
        older.execute(f"INSERT INTO episodes ({columns}) VALUES (?, 'ann', '', ?, 0, 0, 0, 0, ?)", (environment, environment, body))
    older.execute(
        "INSERT INTO open_runs (id, tenant, skill, session, created, body, vector) VALUES ('r', 'ann', '', '', 0, ?, x'')", (body,)
    )
    older.execute("DELETE FROM unindexed")
    for statement in (statement for step in STEPS[before:] for statement in step):
        older.execute(statement)
    bodies = dict(older.execute("SELECT id, body FROM episodes UNION SELECT id, body FROM open_runs"))
    assert {id: digest in body for id, body in bodies.items()} == {"chat": False, "database-v1": True, "r": False}
    assert "-2e308" in bodies["chat"]
    assert older.execute("SELECT count(*) FROM unindexed").fetchone() == (0,)
    older.execute("UPDATE episodes SET body = '{}' WHERE id = 'chat'")
    assert older.execute("SELECT count(*) FROM unindexed").fetchone() == (1,)
    older.close()
