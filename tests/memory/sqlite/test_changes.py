"""A cache that follows the log of changes holds what one made anew of the whole record would hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from lifelong.core import Episode, Judge, Outcome, Task
from lifelong.memory import START, Changes, Position, Record
from lifelong.memory.sqlite.schema import STEPS


def episode(id: str, skill: str = "a", tenant: str = "default", success: bool | None = None, demonstration: bool = False) -> Episode:
    outcome = Outcome(success=success, score=float(bool(success)), judge=Judge.ENVIRONMENT)
    return Episode(id=id, task=Task(id=id, goal=id, tenant=tenant), steps=(), outcome=outcome, skill=skill, demonstration=demonstration)


def row(number: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[number % 8] + np.float32(number)


def keep(record: Record, *episodes: Episode) -> None:
    record.episodes.record_many([(one, row(number)) for number, one in enumerate(episodes)])


def follow(record: Record, position: Position, limit: int = 2) -> tuple[Position, list[str], list[str]]:
    skills: list[str] = []
    judged: list[str] = []
    while True:
        changes = record.changes.since("default", position, limit=limit)
        assert isinstance(changes, Changes)
        assert len(changes.vectors) == len(changes.skills)
        skills, judged, position = skills + changes.skills, judged + [one.id for one, _ in changes.judged], changes.position
        if changes.complete:
            return position, skills, judged


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_every_addition_is_told_once_whatever_the_limit(record: Record, limit: int) -> None:
    assert follow(record, START, limit) == (START, [], [])
    keep(record, episode("1", success=True), episode("2", ""), episode("3", "b"), episode("other", tenant="another"))
    record.episodes.assign(["2"], "c")  # before anybody has looked: the row is read as it is
    position, skills, judged = follow(record, START, limit)
    assert (skills, judged) == (["a", "c", "b"], ["1"])
    assert follow(record, position, limit) == (position, [], [])
    keep(
        record,
        episode("1", success=True),
        episode("4", ""),
        episode("5", "b", success=False),
        episode("6", "b", success=True, demonstration=True),
    )
    position, skills, judged = follow(record, position, limit)
    assert (skills, judged) == (["b"], ["5"])
    record.episodes.assign(["4"], "d")
    record.episodes.judge("3", Outcome(success=True, score=1.0, judge=Judge.USER))
    record.episodes.judge("3", Outcome(success=False, score=0.0, judge=Judge.USER))
    position, skills, judged = follow(record, position, limit)
    assert (skills, judged) == (["d"], ["3"])
    assert record.episodes.skills(tenant="default") == {"a": 1, "b": 3, "c": 1, "d": 1}


def test_what_is_removed_or_filed_anew_lets_caches_begin_anew(record: Record) -> None:
    keep(record, episode("1"), episode("2", "b"), episode("3", "b"))
    position, _, _ = follow(record, START)
    record.erase(["2"])
    assert record.changes.since("default", position, limit=9) is None
    position, skills, _ = follow(record, START)
    assert skills == ["a", "b"]
    record.episodes.assign(["3"], "c")
    assert record.changes.since("default", position, limit=9) is None
    position, skills, _ = follow(record, START)
    assert skills == ["a", "c"]
    record.rename_skill("default", "c", "d")
    assert record.changes.since("default", position, limit=9) is None
    position, _, _ = follow(record, START)
    record.erase(["1", "3"])
    keep(record, episode("1"))
    assert record.changes.since("default", position, limit=9) is None, "a tenant that was emptied and begins again is another"
    assert record._database.rows("SELECT * FROM changes") == []


def test_a_seal_names_the_rows_of_this_record(record: Record) -> None:
    keep(record, episode("1"), episode("2"))
    position = record.changes.position("default")
    seal = record.changes.seal("default", position)
    assert record.changes.seal("default", position) == seal
    keep(record, *(episode(name) for name in "123"))
    assert record.changes.seal("default", position) == seal, "later rows are none of it"
    assert record.changes.seal("default", record.changes.position("default")) != seal
    assert record.changes.seal("another", position) != seal


def test_a_record_of_the_format_before_gets_a_log(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite3"
    connection = sqlite3.connect(path)
    for statement in (statement for step in STEPS[:3] for statement in step):
        connection.execute(statement)
    for number, one in enumerate((episode("1"), episode("1-demonstration", demonstration=True)), 1):
        values = (number, one.id, "default", one.skill, "", None, 0, 0, 0, 0, one.to_json())
        connection.execute("INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (number, row(number).tobytes()))
    connection.execute("PRAGMA user_version=3")
    connection.commit()
    connection.close()
    with Record(path) as opened:
        assert opened.changes.position("default") == Position(last=2)
        assert follow(opened, START)[1] == ["a"], "a demonstration is none of the skill's tasks"
