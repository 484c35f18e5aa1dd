from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
import worker_jobs

from lifelong.envs._workers import WorkerPool, WorkerStopped


@pytest.fixture
def pool() -> WorkerPool:
    return WorkerPool(worker_jobs.__name__, wall_seconds=3)


def test_a_worker_is_reused(pool: WorkerPool) -> None:
    assert pool.ask({"do": "pid"}) == pool.ask({"do": "pid"}) != os.getpid()


@pytest.mark.parametrize("what", ["sleep", "spin", "memory", "flood", "die"])
def test_a_worker_that_goes_too_far_is_replaced(pool: WorkerPool, what: str) -> None:
    before = pool.ask({"do": "pid"})
    began = time.perf_counter()
    if what in ("sleep", "spin"):
        pool._wall_seconds = 0.5  # it runs already, and these two would use any time that they are given
    with pytest.raises(WorkerStopped):
        pool.ask({"do": what})
    pool._wall_seconds = 10
    assert time.perf_counter() - began < 10
    after = pool.ask({"do": "pid"})
    assert after != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_worker_that_ended_while_idle_is_replaced(pool: WorkerPool) -> None:
    before = pool.ask({"do": "pid"})
    os.kill(before, signal.SIGKILL)
    time.sleep(0.2)
    assert pool.ask({"do": "pid"}) != before


@pytest.mark.parametrize("what", ["read", "write", "socket", "environment"])
def test_a_worker_has_no_files_no_network_and_no_environment(pool: WorkerPool, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "secret")
    assert pool.ask({"do": what}) == "refused"


def namespaces_are_allowed() -> bool:
    """Whether the kernel lets a process make a user namespace; a fresh one says, since ours may have threads."""
    script = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000 | 0x40000000))"
    return sys.platform.startswith("linux") and subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("module", ["worker_jobs", "lifelong.envs.database.sql_worker", "lifelong.envs.graph.sparql_worker"])
def test_a_worker_is_in_a_network_of_its_own_where_the_kernel_lets_it(module: str) -> None:
    if not namespaces_are_allowed():
        pytest.skip("the kernel refuses namespaces to this user; the limits on descriptors hold alone")
    pool = WorkerPool(module)
    pool.ask(import_module(module).SAMPLE)
    [worker] = pool._idle
    status = Path(f"/proc/{worker._process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Threads:\t1" in status, "a process with threads may make no user namespace"
    assert network(str(worker._process.pid)) != network("self")
    pool.close()


def network(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except PermissionError:
        return "not ours to see"


def test_requests_go_side_by_side(pool: WorkerPool) -> None:
    before = threading.active_count()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: pool.ask({"do": "echo", "what": number}), range(40)))
    assert answers == list(range(40))
    assert threading.active_count() < before + 20


def test_closing_ends_the_idle_workers(pool: WorkerPool) -> None:
    worker = pool.ask({"do": "pid"})
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
