"""Calls into code of others: one thread, a deadline, and nothing that ends the process."""

from __future__ import annotations

import sys
import threading

import pytest

from lifelong.envs.caller import Caller


@pytest.fixture
def caller() -> Caller:
    return Caller(5.0)


def test_all_calls_come_from_one_thread_that_is_not_ours(caller: Caller) -> None:
    threads = {caller.call(threading.get_ident) for _ in range(5)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_what_a_call_raises_is_raised_here_and_the_next_call_works(caller: Caller) -> None:
    with pytest.raises(KeyError, match="absent"):
        caller.call(lambda: {}["absent"])
    assert caller.call(lambda: 7) == 7


def test_a_call_that_would_end_the_process_ends_itself_alone(caller: Caller) -> None:
    with pytest.raises(RuntimeError, match="tried to end the process with SystemExit: 3"):
        caller.call(lambda: sys.exit(3))
    assert caller.call(lambda: "still there") == "still there"


def test_a_call_that_never_returns_is_left_behind() -> None:
    blocked, caller = threading.Event(), Caller(0.05)
    with pytest.raises(TimeoutError, match=r"within 0\.05 seconds"):
        caller.call(blocked.wait)
    blocked.set()


def test_the_thread_ends_after_its_last_call() -> None:
    caller, done = Caller(5.0), threading.Event()
    thread = caller.call(threading.current_thread)
    caller.end(done.set)
    thread.join(5)
    assert done.is_set()
    assert not thread.is_alive()


def test_a_failing_last_call_is_nobodys_trouble() -> None:
    caller = Caller(5.0)
    thread = caller.call(threading.current_thread)
    caller.end(lambda: 1 / 0)
    thread.join(5)
    assert not thread.is_alive()
