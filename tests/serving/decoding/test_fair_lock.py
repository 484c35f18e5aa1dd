"""The lock of the embedded engine: one holder, and nobody is overtaken."""

from __future__ import annotations

from threading import Event, Thread
from time import sleep

from lifelong.serving.decoding.fair_lock import FairLock


def test_one_holder_at_a_time() -> None:
    lock, counts = FairLock(), [0]

    def add() -> None:
        for _ in range(200):
            with lock:
                before = counts[0]
                sleep(0)
                counts[0] = before + 1

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [800]


def test_a_thread_that_takes_it_again_and_again_lets_others_in() -> None:
    lock, holds, ended = FairLock(), Event(), Event()
    turns: list[str] = []

    def long() -> None:
        for _ in range(500):
            with lock:
                turns.append("long")
                holds.set()
                sleep(0.001)
        ended.set()

    thread = Thread(target=long)
    thread.start()
    holds.wait()
    for _ in range(10):
        with lock:
            turns.append("short")
    assert not ended.is_set()
    order = "".join(turn[0] for turn in turns)
    order = order[order.index("s") : order.rindex("s") + 1]
    assert order.count("s") == 10
    assert "ss" not in order, "nobody overtakes"
    assert "lll" not in order, "and nobody waits for more than a turn of the other, give or take a start"
    thread.join()


def test_an_error_inside_frees_it() -> None:
    lock = FairLock()
    try:
        with lock:
            raise ValueError
    except ValueError:
        pass
    with lock:
        pass
