"""Episodes beyond the budget leave cues, by which their skills are recognised and which can be forgotten."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.memory import Record, compress
from lifelong.memory.sqlite.schema import TABLES, VERSION

CENTRES = np.random.default_rng(7).normal(size=(2, 18))


def fill(record: Record, count: int = 40, tenant: str = "default", seed: int = 0) -> np.ndarray:
    """Episodes of two skills in turn, of 18 dimensions, which streams of four do not divide."""
    draw = np.random.default_rng(seed)
    rows = CENTRES[np.arange(count) % 2] + 0.3 * draw.normal(size=(count, 18))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    episodes = [example_episode(n, tenant=tenant, skill=("even", "odd")[n % 2]) for n in range(count)]
    record.episodes.record_many(zip(episodes, vectors, strict=True))
    return vectors


def test_what_leaves_the_budget_is_recalled_by_skill(record: Record) -> None:
    vectors = fill(record)
    assert compress(record, "default", 4) == 36
    recalled, skills = record.cues.recall("default")
    assert recalled.shape[1] == 18
    assert 20 <= len(recalled) <= 36, "most are kept, those near the mean are not"
    assert set(skills) == {"even", "odd"}
    nearest = (recalled / np.linalg.norm(recalled, axis=1, keepdims=True)) @ vectors[:36].T
    assert nearest.max(1).min() > 0.97, "what is recalled is close to what was there"
    assert [("even", "odd")[int(row) % 2] for row in nearest.argmax(1)] == skills
    assert record.cues.find(tenant="default", skill="odd") == sorted(f"default-{n}" for n in range(1, 36, 2))
    assert record.cues.bytes("default") < vectors[:36].nbytes


def test_cues_outlive_the_process_and_the_next_night_adds_to_them(record: Record) -> None:
    fill(record)
    compress(record, "default", 20)
    before, _ = record.cues.recall("default")
    compress(record, "default", 4)
    with Record(record.path) as again:
        after, _ = again.cues.recall("default")
    assert len(after) > len(before)
    assert np.array_equal(after[: len(before)], before), "older cues stay as they are"


def test_unknown_episodes_demonstrations_and_broken_vectors_leave_no_cue(record: Record) -> None:
    vector = np.ones(8, dtype=np.float32)
    plain = [example_episode(number) for number in range(4)]
    record.episodes.record(replace(plain[0], skill=""), vector)
    record.episodes.record(replace(plain[1], demonstration=True), vector)
    record.episodes.record(plain[2], np.zeros(8, dtype=np.float32))
    record.episodes.record(plain[3], vector)
    assert compress(record, "default", 1) == 3
    assert record.cues.find() == []
    assert record.cues.recall("default")[0].shape[0] == 0


def test_an_erasure_takes_the_whole_batch_and_says_whose_cues_went(record: Record) -> None:
    fill(record)
    compress(record, "default", 4)
    erased = record.erase(["default-0"])
    assert erased.episodes == 0, "its row had gone before"
    assert erased.cues == tuple(sorted(f"default-{n}" for n in range(2, 36, 2)))
    assert set(record.cues.recall("default")[1]) == {"odd"}
    record.erase(["default-1"])
    assert record.cues.find() == []
    with sqlite3.connect(record.path) as connection:
        assert connection.execute("SELECT count(*) FROM cue_memories").fetchone() == (0,), "the last cue takes the codebook along"


def test_cues_follow_the_name_of_their_skill(record: Record) -> None:
    fill(record)
    compress(record, "default", 4)
    record.rename_skill("default", "even", "odd")
    assert set(record.cues.recall("default")[1]) == {"odd"}
    record.rename_skill("default", "odd", "")
    assert record.cues.find() == []


def test_a_tenant_recalls_nothing_of_another(record: Record) -> None:
    fill(record, tenant="ann")
    fill(record, tenant="ben", seed=1)
    compress(record, "ann", 4)
    compress(record, "ben", 4)
    ben, _ = record.cues.recall("ben")
    record.erase(record.cues.find(tenant="ann"))
    assert record.cues.recall("ann")[0].shape[0] == 0
    assert np.array_equal(record.cues.recall("ben")[0], ben)


def test_a_compression_that_fails_leaves_everything_as_it_was(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(record)

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(record.cues, "_keep", broken)
    with pytest.raises(RuntimeError, match="fire"):
        compress(record, "default", 4)
    assert (record.episodes.count(tenant="default"), record.cues.find()) == (40, [])


def test_a_record_of_the_first_format_is_brought_up_to_date(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite3"
    with sqlite3.connect(file) as connection:
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("PRAGMA user_version=1")
    with Record(file) as record:
        fill(record)
        compress(record, "default", 4)
        assert record.cues.find()
        assert record._database.value("PRAGMA user_version") == VERSION
