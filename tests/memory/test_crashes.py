from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import StoreError
from lifelong.memory import Record

WRITER = """
    import sys
    from pathlib import Path
    import numpy as np
    from lifelong.checks.cue_memory import example_episode
    from lifelong.memory import Record

    record = Record(Path(sys.argv[1]))
    start = int(sys.argv[2])
    for number in range(start, start + int(sys.argv[3])):
        record.episodes.record(example_episode(number), np.full(32, number, dtype=np.float32))
        print(number, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def kill_while_it_writes(file: Path, kills: int) -> None:
    draw, acknowledged = random.Random(0), set[int]()
    for attempt in range(kills):
        with start(WRITER, file, attempt * 100_000, 100_000) as child:
            assert child.stdout is not None
            acknowledged.add(int(child.stdout.readline()))
            time.sleep(draw.uniform(0, 0.05))
            child.kill()
            # The last line may be torn; only whole ones are acknowledgements.
            acknowledged |= {int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")}
        with Record(file) as record:
            assert record._database.value("PRAGMA integrity_check") == "ok"
            found = {episode.id for episode in record.episodes.find()}
            missing = {number for number in acknowledged if f"default-{number}" not in found}
            assert not missing, f"acknowledged and lost after kill {attempt}: {sorted(missing)[:5]}"
            ids, vectors = record.episodes.vectors(tenant="default")
            assert {f"default-{int(vector[0])}" for vector in vectors} == set(ids) == found, "each episode has its own vector"


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    kill_while_it_writes(tmp_path / "record.sqlite3", kills=2)


@pytest.mark.slow
def test_what_was_acknowledged_survives_twenty_kills(tmp_path: Path) -> None:
    kill_while_it_writes(tmp_path / "record.sqlite3", kills=20)


def test_processes_write_side_by_side(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite3"
    children = [start(WRITER, file, base, 25) for base in (0, 1000, 2000)]
    for child in children:
        with child:
            _, errors = child.communicate(timeout=60)
            assert child.returncode == 0, errors
    with Record(file) as record:
        assert record.episodes.count() == 75
        assert record.episodes.fingerprint("default").episodes == 75


def test_threads_write_side_by_side(record: Record) -> None:
    failures: list[BaseException] = []

    def write(base: int) -> None:
        try:
            for number in range(base, base + 20):
                record.episodes.record(example_episode(number), np.full(8, number, dtype=np.float32))
                record.adapters.next_name()
                assert record.episodes.get(f"default-{number}").created == number
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(base,)) for base in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert record.episodes.count() == 80
    assert record.adapters.next_name() == "lifelong-v0081"


FULL = (
    """
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    """
    + WRITER
)


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite3"
    with start(FULL, file, 0, 100_000) as child:
        output, errors = child.communicate(timeout=60)
    assert "StoreError" in errors
    assert "free disk space" in errors
    acknowledged = output.split()
    assert len(acknowledged) > 10
    with Record(file) as record:
        assert {f"default-{number}" for number in acknowledged} <= {episode.id for episode in record.episodes.find()}
        record.episodes.record(example_episode(999_999), np.zeros(32, dtype=np.float32))


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "record.sqlite3"
    file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged: move it away"):
        Record(file)
    assert file.read_bytes() == content, "a damaged file is left as it is"


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    file = tmp_path / "record.sqlite3"
    with Record(file) as record:
        record.episodes.record_many([(example_episode(number), np.zeros(384, dtype=np.float32)) for number in range(200)])
    file.write_bytes(file.read_bytes()[:20_000])

    def read() -> None:
        with Record(file) as record:
            record.episodes.vectors(tenant="default")
            record.episodes.find()

    with pytest.raises(StoreError, match="damaged"):
        read()


def test_damaged_text_in_a_row_is_named(record: Record) -> None:
    record.episodes.record(example_episode(0), np.zeros(3, dtype=np.float32))
    with record._database.transaction() as connection:
        connection.execute("UPDATE episodes SET body = substr(body, 1, 40)")
    with pytest.raises(StoreError, match="damaged"):
        record.episodes.get("default-0")


def test_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a directory"):
        Record(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="check that the directory"):
        Record(tmp_path / "file" / "record.sqlite3")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    with Record(tmp_path / "r.sqlite3") as record, record._database.transaction() as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="format 99"):
        Record(tmp_path / "r.sqlite3")


def test_a_closed_record_is_named(tmp_path: Path) -> None:
    record = Record(tmp_path / "r.sqlite3")
    record.close()
    record.close()
    with pytest.raises(StoreError, match="open it again"):
        record.episodes.count()
