from __future__ import annotations

import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import UNKNOWN, Judge, Outcome, StoreError
from lifelong.memory import Hit, Record, VectorIndex
from lifelong.memory.index import vector_index as module
from lifelong.memory.index_files import cache_files


def unit(count: int, dimensions: int = 16, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fill(record: Record, rows: np.ndarray, start: int = 0, tenant: str = "default") -> None:
    record.episodes.record_many([(example_episode(start + row, tenant=tenant), vector) for row, vector in enumerate(rows)])


def best(rows: np.ndarray, query: np.ndarray, k: int) -> list[str]:
    return [f"default-{row}" for row in np.argsort(-(rows @ query), kind="stable")[:k]]


def found(index: VectorIndex, record: Record, query: np.ndarray, k: int) -> list[str]:
    return [hit.id for hit in index.search(record, "default", query, k)]


def clustered(count: int, seed: int = 3) -> np.ndarray:
    rows = unit(20, seed=2)[np.arange(count) % 20] + 0.3 * unit(count, seed=seed)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def indexed(record: Record, **settings: int) -> VectorIndex:
    index = VectorIndex(record.index_directory, **settings)
    index.sync(record, "default")
    return index


def settled(index: VectorIndex, record: Record, tenant: str = "default") -> None:
    """What a few requests and the thread behind them come to."""
    for _ in range(5):
        index.follow(record, tenant)
        index.wait(tenant, 20)
        if index.complete(record, tenant):
            return
    pytest.fail("the index never caught up")


def never(*_: object) -> None:
    pytest.fail("the index is not built anew")


def test_nothing_is_found_where_nothing_is(record: Record) -> None:
    index = VectorIndex(record.index_directory)
    query = np.ones(4, dtype=np.float32)
    assert index.search(record, "t", query, 3) == []
    index.follow(record, "t")
    index.sync(record, "t")
    index.save(record)
    assert index.search(record, "t", query, 3) == index.search(record, "t", query, 0) == []
    assert list(record.index_directory.glob("*")) == []


def test_a_query_of_another_encoder_is_refused(record: Record) -> None:
    fill(record, np.eye(4, dtype=np.float32))
    with pytest.raises(ValueError, match="was the encoder changed"):
        indexed(record).search(record, "default", np.ones(5, dtype=np.float32), 1)


def test_a_search_leaves_out_what_is_too_far_and_what_is_known(record: Record) -> None:
    fill(record, np.array([[near, np.sqrt(1 - near**2)] for near in [0.9, 0.8, 0.6, 0.1]], dtype=np.float32))
    index, query = indexed(record), np.array([1, 0], dtype=np.float32)
    assert [hit.id for hit in index.search(record, "default", query, 4, least=0.5)] == ["default-0", "default-1", "default-2"]
    assert index.search(record, "default", query, 4, least=0.5, skip=2) == [Hit("default-2", pytest.approx(0.6))]
    assert index.search(record, "default", query, 2, skip=2) == []


def test_search_is_exact_and_follows_the_record(record: Record) -> None:
    rows, query = unit(60), unit(1, seed=1)[0]
    fill(record, rows[:40])
    index = indexed(record)
    assert found(index, record, query, 10) == best(rows[:40], query, 10)
    fill(record, rows[40:], 40)
    index.follow(record, "default")
    assert found(index, record, query, 60) == best(rows, query, 60)
    gone = best(rows, query, 3)
    record.erase(gone)
    assert found(index, record, query, 60) == best(rows, query, 60)[3:], "at once, before the index knows of it"
    settled(index, record)
    assert found(index, record, query, 57) == best(rows, query, 60)[3:]
    record.erase([f"default-{row}" for row in range(60)])
    assert found(index, record, query, 5) == []
    index.sync(record, "default")
    fill(record, rows[:3], 70)
    index.sync(record, "default")
    assert set(found(index, record, query, 5)) == {"default-70", "default-71", "default-72"}


def test_only_verified_episodes_are_there_from_when_they_are_verified(record: Record) -> None:
    rows = np.eye(4, dtype=np.float32)
    for number, row in enumerate(rows):
        record.episodes.record(replace(example_episode(number), outcome=UNKNOWN), row)
    index = indexed(record)
    assert index.search(record, "default", rows[0], 4) == []
    record.episodes.judge("default-1", Outcome(success=True, judge=Judge.USER))
    failed = Outcome(success=False, judge=Judge.ENVIRONMENT)
    record.episodes.judge("default-2", failed)
    index.follow(record, "default")
    assert found(index, record, rows[0], 4) == ["default-1"]
    record.episodes.judge("default-2", failed, correction="another answer")
    index.follow(record, "default")
    assert set(found(index, record, rows[0], 4)) == {"default-1", "default-2"}, "a correction makes it worth recalling"
    fresh = indexed(record)
    assert set(found(fresh, record, rows[0], 4)) == {"default-1", "default-2"}


def test_one_that_is_verified_twice_is_found_once(record: Record) -> None:
    fill(record, np.eye(4, dtype=np.float32))
    index = indexed(record)
    for success in (False, True, False, True):
        record.episodes.judge("default-1", Outcome(success=success, judge=Judge.ENVIRONMENT))
        index.follow(record, "default")
    assert found(index, record, np.eye(4, dtype=np.float32)[1], 9).count("default-1") == 1


def test_a_request_reads_a_bounded_number_of_rows_and_a_thread_the_rest(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE", 10)
    rows = unit(60)
    fill(record, rows[:40])
    gate, build = threading.Event(), VectorIndex._build
    monkeypatch.setattr(VectorIndex, "_build", lambda self, *values: (gate.wait(20), build(self, *values))[1])
    index = VectorIndex(record.index_directory)
    with VectorsRead(record) as read:
        index.follow(record, "default")
    assert sum(read) <= 10
    assert found(index, record, rows[35], 1) == ["default-35"], "the newest are searched at once"
    assert found(index, record, rows[3], 1) != ["default-3"]
    fill(record, rows[40:45], 40)
    index.follow(record, "default")
    assert found(index, record, rows[44], 1) == ["default-44"], "what comes meanwhile is searched too"
    gate.set()
    settled(index, record)
    assert [found(index, record, rows[row], 1) for row in (3, 35, 44)] == [["default-3"], ["default-35"], ["default-44"]]
    with VectorsRead(record) as read:
        index.follow(record, "default")
        fill(record, rows[45:46], 45)
        index.follow(record, "default")
    assert sum(read) == 1, "nothing is read twice"


class VectorsRead:
    """How many vectors each query returned."""

    def __init__(self, record: Record) -> None:
        self.counts: list[int] = []
        self._patch = pytest.MonkeyPatch()
        self._record = record

    def __enter__(self) -> list[int]:
        rows = self._record._database.rows

        def counted(sql: str, values: tuple[object, ...] = ()) -> list[object]:
            out = rows(sql, values)
            if "vector" in sql and threading.current_thread() is threading.main_thread():
                self.counts.append(len(out))
            return out

        self._patch.setattr(self._record._database, "rows", counted)
        return self.counts

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


def test_a_saved_index_is_read_and_caught_up(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clustered(90)
    fill(record, rows[:80])
    indexed(record, flat_limit=20).save(record)
    fill(record, rows[80:], 80)
    second = VectorIndex(record.index_directory, flat_limit=20)
    monkeypatch.setattr(VectorIndex, "_build", never)
    second.sync(record, "default")
    assert second._partitions["default"].cells_for == 80
    for row in (3, 85):
        assert found(second, record, rows[row], 1) == [f"default-{row}"]


@pytest.mark.parametrize("suffix", [".faiss", ".json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap"])
def test_a_damaged_file_is_a_cache_miss(record: Record, suffix: str, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    rows, query = unit(40), unit(1, seed=1)[0]
    fill(record, rows)
    fill(record, rows[:5], tenant="ben")
    index = VectorIndex(record.index_directory)
    index.rebuild(record)
    index.save(record)
    [mine], [other] = ([path for path in cache_files(record.index_directory, one) if path.suffix == suffix] for one in ("default", "ben"))
    content = bytearray(mine.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged = {"flip": bytes(content), "cut": mine.read_bytes()[:-20], "empty": b"", "swap": other.read_bytes()}[damage]
    mine.write_bytes(damaged)
    fresh = VectorIndex(record.index_directory)
    with caplog.at_level(logging.WARNING):
        fresh.sync(record, "default")
    assert found(fresh, record, query, 10) == best(rows, query, 10)
    assert "built anew" in caplog.text


def test_a_file_that_an_erasure_deletes_while_it_is_read_is_no_damage(
    record: Record, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = unit(40)
    fill(record, rows)
    index = VectorIndex(record.index_directory)
    index.rebuild(record)
    index.save(record)

    def erase_first(*_: object) -> None:
        record.erase(["default-0"])
        raise RuntimeError("could not open")

    monkeypatch.setattr(module, "read", erase_first)
    fresh = VectorIndex(record.index_directory)
    fresh.sync(record, "default")
    assert caplog.text == ""
    assert found(fresh, record, rows[3], 1) == ["default-3"]


def test_a_large_tenant_gets_cells(record: Record) -> None:
    rows = clustered(800)
    fill(record, rows)
    index = indexed(record, flat_limit=500)
    index.save(record)
    again = indexed(record, flat_limit=500)
    assert [one._partitions["default"].cells_for for one in (index, again)] == [800, 800]
    overlap = [len({*found(one, record, query, 10)} & {*best(rows, query, 10)}) / 10 for query in rows[:50] for one in (index, again)]
    assert np.mean(overlap) > 0.9
    similarities = [hit.similarity for hit in index.search(record, "default", rows[0], 10)]
    np.testing.assert_allclose(similarities, np.sort(rows @ rows[0])[::-1][:10], atol=2e-3)


def test_cells_are_chosen_anew_once_there_are_many_more(record: Record) -> None:
    rows = clustered(200)
    fill(record, rows[:30])
    index = indexed(record, flat_limit=20)
    fill(record, rows[30:100], 30)
    settled(index, record)
    assert index._partitions["default"].cells_for == 30
    fill(record, rows[100:], 100)
    settled(index, record)
    assert index._partitions["default"].cells_for == 200
    assert found(index, record, rows[150], 1) == ["default-150"]


def test_a_file_follows_when_much_has_come(record: Record) -> None:
    rows = clustered(100)
    fill(record, rows[:60])
    index = indexed(record, flat_limit=20)
    index.save(record)
    fill(record, rows[60:61], 60)
    settled(index, record)
    assert index._partitions["default"].unsaved == 1, "one more is not worth a file"
    fill(record, rows[61:80], 61)
    settled(index, record)
    assert index._partitions["default"].unsaved == 0


def test_an_index_that_cannot_be_saved_is_an_error_with_advice(record: Record) -> None:
    fill(record, unit(3))
    record.index_directory.write_text("a file where the directory should be")
    with pytest.raises(StoreError, match="nothing is lost"):
        indexed(record).save(record)


@pytest.mark.parametrize("flat_limit", [10, 1000], ids=["cells", "exact"])
def test_an_erasure_takes_vectors_out_and_builds_nothing_anew(record: Record, monkeypatch: pytest.MonkeyPatch, flat_limit: int) -> None:
    rows = unit(40, dimensions=8)
    fill(record, rows)
    index = indexed(record, flat_limit=flat_limit)
    # None of the two was among those that centred the cells.
    index._partitions["default"].trained = np.array([1, 2])
    record.erase(["default-3", "default-7"])
    fill(record, rows[:2], start=40)
    monkeypatch.setattr(VectorIndex, "_build", never)
    settled(index, record)
    partition = index._partitions["default"]
    assert set(partition.numbers().tolist()) == set(record.verified.numbers("default").tolist())
    assert not partition.worn
    assert "default-3" not in found(index, record, rows[3], 40)


def test_cells_that_were_centred_with_the_help_of_what_is_gone_are_centred_anew(record: Record) -> None:
    rows = clustered(40)
    fill(record, rows)
    index = indexed(record, flat_limit=10)
    before = index._partitions["default"]
    record.erase(["default-3"])
    settled(index, record)
    after = index._partitions["default"]
    assert before is not after
    assert not set(after.trained.tolist()) - set(record.verified.numbers("default").tolist())


def test_a_file_written_while_another_process_erases_is_discarded(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(record, np.eye(4, dtype=np.float32))
    index, write = indexed(record), module.write

    def erased_meanwhile(*values: object) -> None:
        record.erase(["default-1"])
        write(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write", erased_meanwhile)
    index.save(record)
    assert list(record.index_directory.glob("*")) == []


def test_memory_is_bounded_in_tenants_and_in_rows(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TENANTS", 4)
    monkeypatch.setattr(module, "ROWS", 10)
    index = VectorIndex(record.index_directory)
    for tenant in "abcdefgh":
        fill(record, unit(2), tenant=tenant)
        index.follow(record, tenant)
    assert list(index._partitions) == ["e", "f", "g", "h"]
    for tenant, count in (("large", 12), ("other", 8)):
        fill(record, unit(count), tenant=tenant)
        index.follow(record, tenant)
    settled(index, record, "other")
    assert sum(len(one) for one in index._partitions.values()) <= 10 + 8
    assert index._workers == {}, "threads are not kept"
    index.follow(record, "a")
    assert {hit.id for hit in index.search(record, "a", unit(1)[0], 5)} == {"a-0", "a-1"}


def test_a_failure_beside_the_requests_is_logged_and_tried_again(
    record: Record, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "INLINE", 10)
    rows = unit(40)
    fill(record, rows)
    index = VectorIndex(record.index_directory)
    with monkeypatch.context() as patched:
        patched.setattr(VectorIndex, "_build", lambda *_: 1 / 0)
        index.follow(record, "default")
        index.wait("default", 20)
    assert "could not be built" in caplog.text
    assert found(index, record, rows[35], 1) == ["default-35"]
    settled(index, record)
    assert found(index, record, rows[3], 1) == ["default-3"]


def test_a_tenant_without_verified_episodes_is_read_once(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE", 5)
    unjudged = [(replace(example_episode(row), outcome=UNKNOWN), vector) for row, vector in enumerate(unit(20))]
    record.episodes.record_many(unjudged)
    index = VectorIndex(record.index_directory)
    settled(index, record)
    monkeypatch.setattr(VectorIndex, "_first", never)
    index.follow(record, "default")
    assert index.complete(record, "default")
