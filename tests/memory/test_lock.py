"""A lock that a dead holder gives back."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from lifelong.memory.lock import exclusive

HOLDER = """
import sys
from pathlib import Path
from lifelong.memory.lock import exclusive
with exclusive(Path(sys.argv[1]), wait=True) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_two_threads_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path, wait=False) as first, exclusive(path, wait=False) as second:
        assert (first, second) == (True, False)
    with exclusive(path, wait=False) as again:
        assert again


def test_who_waits_gets_it_once_it_is_free(tmp_path: Path) -> None:
    path, got = tmp_path / "lock", threading.Event()

    def waiting() -> None:
        with exclusive(path, wait=True) as held:
            assert held
            got.set()

    with exclusive(path, wait=True):
        thread = threading.Thread(target=waiting)
        thread.start()
        assert not got.wait(0.1)
    thread.join(10)
    assert got.is_set()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with exclusive(path, wait=False) as held:
            assert not held
        holder.kill()
        holder.wait()
        with exclusive(path, wait=False) as held:
            assert held
