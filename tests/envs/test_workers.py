from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

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
    with pytest.raises(WorkerStopped):
        pool.ask({"do": what})
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


def test_requests_go_side_by_side(pool: WorkerPool) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: pool.ask({"do": "echo", "what": number}), range(40)))
    assert answers == list(range(40))
    assert threading.active_count() < 20


def test_closing_ends_the_idle_workers(pool: WorkerPool) -> None:
    worker = pool.ask({"do": "pid"})
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
