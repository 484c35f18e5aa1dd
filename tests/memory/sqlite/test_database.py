from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import StoreError
from lifelong.memory import Record, VectorIndex
from lifelong.memory.sqlite.database import Database

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of owner, group and others are POSIX's")


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_and_its_files_are_their_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    before = os.umask(0o022)
    try:
        with Record(home / "record.sqlite3") as record:
            record.episodes.record(example_episode(0), np.ones(4, dtype=np.float32))
            index = VectorIndex(record.index_directory)
            index.sync(record, "default")
            index.save(record)
            files = [path for path in home.rglob("*") if path.is_file()]
            assert {path.suffix for path in files} >= {".sqlite3", ".sqlite3-wal", ".faiss", ".json"}
            assert {rights(path) for path in files} == {0o600}
            assert rights(home) == rights(record.index_directory) == 0o700
    finally:
        os.umask(before)


def test_a_record_that_everybody_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite3"
    Record(file).close()
    file.chmod(0o644)
    tmp_path.chmod(0o755)
    Record(file).close()
    assert rights(file) == 0o600
    assert rights(tmp_path) == 0o755, "a folder that was there before is not ours to close"


def test_a_read_waits_for_no_commit_and_a_transaction_reads_what_it_has_written(tmp_path: Path) -> None:
    with Record(tmp_path / "record.sqlite3") as record:
        record.episodes.record(example_episode(0), np.ones(4, dtype=np.float32))
        tenant = example_episode(0).task.tenant
        written, go_on = Event(), Event()
        seen: list[int] = []

        def write() -> None:
            with record.transaction():
                record.episodes.record(example_episode(1), np.ones(4, dtype=np.float32))
                with record.snapshot():
                    seen.append(record.episodes.count(tenant=tenant))
                written.set()
                go_on.wait(20)

        thread = Thread(target=write)
        thread.start()
        written.wait(20)
        seen.append(record.episodes.count(tenant=tenant))
        with record.snapshot():
            seen.append(record.episodes.count(tenant=tenant))
            go_on.set()
            thread.join(20)
            seen.append(record.episodes.count(tenant=tenant))
        seen.append(record.episodes.count(tenant=tenant))
        assert seen == [2, 1, 1, 1, 2]


def test_what_reads_cannot_write(tmp_path: Path) -> None:
    with Record(tmp_path / "record.sqlite3") as record, pytest.raises(StoreError, match="readonly"):
        record._database.rows("DELETE FROM episodes")


def test_a_closed_record_says_so(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.sqlite3")
    record.close()
    record.close()
    with pytest.raises(StoreError, match="closed"):
        record.episodes.count()
    with pytest.raises(StoreError, match="closed"), record.transaction():
        pass


def test_a_transaction_is_synced_unless_it_need_not_be(tmp_path: Path) -> None:
    full, normal = (2,), (1,)
    with Record(tmp_path / "record.sqlite3") as record:
        database = record._database

        def level() -> tuple[int]:
            found: tuple[int] = database._connection.execute("PRAGMA synchronous").fetchone()
            return found

        with database.transaction():
            assert level() == full
            with database.transaction(synced=False):
                assert level() == full, "it joins the one around it"
        with database.transaction(synced=False) as connection:
            assert level() == normal
            connection.execute("CREATE TABLE kept (number)")
        with pytest.raises(StoreError, match="missing"), database.transaction(synced=False) as connection:
            connection.execute("INSERT INTO kept SELECT 1 FROM missing")
        assert level() == full
        assert database.rows("SELECT * FROM kept") == []


def test_who_is_told_of_news_is_told_once_others_can_read_them(tmp_path: Path) -> None:
    database = Database(tmp_path / "record.sqlite3")
    seen: list[list[tuple[int]]] = []

    def look() -> None:
        thread = Thread(target=lambda: seen.append(database.rows("SELECT one FROM told ORDER BY one")))
        thread.start()
        thread.join()

    with database.transaction() as connection:
        connection.execute("CREATE TABLE told (one INTEGER)")
    with database.transaction() as connection:
        connection.execute("INSERT INTO told VALUES (1)")
        with database.transaction():
            database.after_commit(look)
        assert seen == []
    assert seen == [[(1,)]]

    def fail() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO told VALUES (2)")
            database.after_commit(look)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(seen) == 1, "nothing was written, so there is nothing to tell of"
    database.after_commit(look)
    assert len(seen) == 2
    with database.transaction():
        pass
    assert len(seen) == 2
    database.close()
