from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.memory import Record, VectorIndex

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
