from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.memory import Hit, Record, VectorIndex
from lifelong.memory.index import vector_index as module


def unit(count: int, dimensions: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fill(record: Record, rows: np.ndarray, start: int = 0, tenant: str = "default") -> None:
    record.episodes.record_many([(example_episode(start + row, tenant=tenant), vector) for row, vector in enumerate(rows)])


def best(rows: np.ndarray, query: np.ndarray, k: int) -> list[str]:
    return [f"default-{row}" for row in np.argsort(-(rows @ query), kind="stable")[:k]]


def found(index: VectorIndex, query: np.ndarray, k: int) -> list[str]:
    return [hit.id for hit in index.search("default", query, k)]


def test_add_search_remove(tmp_path: Path) -> None:
    index = VectorIndex(tmp_path)
    assert index.search("t", np.ones(4, dtype=np.float32), 3) == []
    for name, row in zip("abcd", np.eye(4, dtype=np.float32), strict=True):
        index.add("t", name, row)
    index.add("t", "a", np.ones(4, dtype=np.float32))
    assert index.search("t", np.eye(4, dtype=np.float32)[0], 1) == [Hit("a", 1.0)]
    index.remove("t", ["a", "nobody"])
    assert {hit.id for hit in index.search("t", np.eye(4, dtype=np.float32)[0], 9)} == {"b", "c", "d"}
    with pytest.raises(ValueError, match="was the encoder changed"):
        index.search("t", np.ones(5, dtype=np.float32), 1)


def test_a_search_leaves_out_what_is_too_far_and_what_is_known(tmp_path: Path) -> None:
    index = VectorIndex(tmp_path)
    for place, near in enumerate([0.9, 0.8, 0.6, 0.1]):
        index.add("t", str(place), np.array([near, np.sqrt(1 - near**2)], dtype=np.float32))
    query = np.array([1, 0], dtype=np.float32)
    assert [hit.id for hit in index.search("t", query, 4, least=0.5)] == ["0", "1", "2"]
    assert [hit.id for hit in index.search("t", query, 4, least=0.5, skip=2)] == ["2"]
    assert index.search("t", query, 2, skip=2) == []


def test_search_is_exact_and_follows_the_record(record: Record) -> None:
    rows, query = unit(60), unit(1, seed=1)[0]
    index = VectorIndex(record.index_directory)
    fill(record, rows[:40])
    index.sync(record, "default")
    assert found(index, query, 10) == best(rows[:40], query, 10)
    fill(record, rows[40:], 40)
    index.add("default", "default-40", rows[40])
    index.sync(record, "default")
    assert found(index, query, 60) == best(rows, query, 60)
    gone = best(rows, query, 3)
    record.erase(gone)
    index.sync(record, "default")
    assert found(index, query, 57) == best(rows, query, 60)[3:]
    record.erase([f"default-{row}" for row in range(60)])
    index.sync(record, "default")
    assert found(index, query, 5) == []


def test_a_saved_index_is_read_and_caught_up(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, query = unit(50), unit(1, seed=1)[0]
    fill(record, rows[:40])
    first = VectorIndex(record.index_directory)
    first.rebuild(record)
    first.save(record)
    fill(record, rows[40:], 40)
    second = VectorIndex(record.index_directory)
    monkeypatch.setattr(second, "_build", lambda *_: pytest.fail("a good file needs no rebuilding"))
    second.sync(record, "default")
    assert found(second, query, 10) == best(rows, query, 10)


@pytest.mark.parametrize("suffix", [".faiss", ".json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap"])
def test_a_damaged_file_is_a_cache_miss(record: Record, suffix: str, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    rows, query = unit(40), unit(1, seed=1)[0]
    fill(record, rows)
    fill(record, rows[:5], tenant="ben")
    index = VectorIndex(record.index_directory)
    index.rebuild(record)
    index.save(record)
    [mine, other] = sorted(record.index_directory.glob(f"*{suffix}"), key=lambda path: -path.stat().st_size)
    content = bytearray(mine.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged = {"flip": bytes(content), "cut": mine.read_bytes()[:-20], "empty": b"", "swap": other.read_bytes()}[damage]
    mine.write_bytes(damaged)
    fresh = VectorIndex(record.index_directory)
    with caplog.at_level(logging.WARNING):
        fresh.sync(record, "default")
    assert found(fresh, query, 10) == best(rows, query, 10)
    assert "built anew" in caplog.text


def test_a_large_tenant_gets_an_inverted_file(record: Record) -> None:
    centres = unit(20, seed=2)
    rows = centres[np.arange(800) % 20] + 0.3 * unit(800, seed=3)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    fill(record, rows)
    index = VectorIndex(record.index_directory, flat_limit=500)
    index.rebuild(record)
    index.save(record)
    again = VectorIndex(record.index_directory, flat_limit=500)
    again.sync(record, "default")
    overlap = [len({*found(one, query, 10)} & {*best(rows, query, 10)}) / 10 for query in rows[:50] for one in (index, again)]
    assert np.mean(overlap) > 0.9
    index.remove("default", ["default-0"])
    assert "default-0" not in found(index, rows[0], 800)


def test_an_index_that_cannot_be_saved_is_an_error_with_advice(record: Record) -> None:
    from lifelong.core import StoreError

    fill(record, unit(3))
    record.index_directory.write_text("a file where the directory should be")
    index = VectorIndex(record.index_directory)
    index.sync(record, "default")
    with pytest.raises(StoreError, match="nothing is lost"):
        index.save(record)


def test_an_erasure_takes_vectors_out_and_builds_nothing_anew(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    fill(record, rows)
    index = VectorIndex(record.index_directory, flat_limit=10)
    index.sync(record, "default")
    record.erase(["default-3", "default-7"])
    fill(record, rows[:2], start=40)
    with monkeypatch.context() as patched:
        patched.setattr(VectorIndex, "_build", lambda *_: pytest.fail("the index is not built anew"))
        index.sync(record, "default")
    found = {hit.id for hit in index.search("default", rows[3], 40)}
    assert not found & {"default-3", "default-7"}
    assert {"default-40", "default-41"} <= found or len(found) < 40
    index.save(record)
    assert not index._partitions["default"].worn, "cells that were centred with what is gone are never written"


def test_a_file_written_while_another_process_erases_is_discarded(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(record, np.eye(4, dtype=np.float32))
    index, write = VectorIndex(record.index_directory), VectorIndex._write
    index.sync(record, "default")

    def erased_meanwhile(self: VectorIndex, tenant: str, partition: object) -> None:
        record.erase(["default-1"])
        write(self, tenant, partition)  # type: ignore[arg-type]

    monkeypatch.setattr(VectorIndex, "_write", erased_meanwhile)
    index.save(record)
    assert list(record.index_directory.glob("*")) == []


def test_a_request_does_not_wait_for_a_large_index(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit(40)
    fill(record, rows)
    monkeypatch.setattr(module, "INLINE", 10)
    gate, build = threading.Event(), VectorIndex._build
    monkeypatch.setattr(VectorIndex, "_build", lambda self, *values: (gate.wait(20), build(self, *values)))
    index = VectorIndex(record.index_directory)
    index.follow(record, "default")
    index.follow(record, "default")
    assert found(index, rows[3], 5) == [], "nothing is recalled until it is there"
    gate.set()
    index._builders["default"].join(timeout=20)
    assert found(index, rows[3], 1) == ["default-3"]
    again = VectorIndex(record.index_directory)
    monkeypatch.setattr(VectorIndex, "_build", None)
    again.sync(record, "default")
    assert found(again, rows[3], 1) == ["default-3"], "the next start reads what was built"
