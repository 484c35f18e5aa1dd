"""Writing down what was answered: together, in order, and no failing one takes others with it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from lifelong.core import StoreError
from lifelong.interfaces.gateway import recorder as module
from lifelong.interfaces.gateway.recorder import Recorder


class Disk:
    """A record whose transactions keep everything or nothing."""

    def __init__(self) -> None:
        self.kept: list[object] = []
        self.sizes: list[int] = []
        self.refusals = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the disk is full")
        before = len(self.kept)
        try:
            yield
        except BaseException:
            del self.kept[before:]
            raise
        self.sizes.append(len(self.kept) - before)

    def write(self, what: object) -> Callable[[], None]:
        def act() -> None:
            if what == "bad":
                raise ValueError("cannot be said")
            self.kept.append(what)

        return act


def recorded(disk: Disk, *whats: object, seconds: float = 5.0) -> tuple[list[bool], Recorder]:
    recorder = Recorder(disk.transaction, seconds)

    async def act() -> list[bool]:
        return await asyncio.gather(*(recorder.record(disk.write(what)) for what in whats))

    result = asyncio.run(act())
    recorder.close()
    return result, recorder


def test_all_are_kept_in_their_order_and_said_to_be() -> None:
    disk = Disk()
    result, recorder = recorded(disk, *range(200))
    assert result == [True] * 200
    assert disk.kept == list(range(200))
    assert max(disk.sizes) <= module.MOST_AT_ONCE
    assert (recorder.written, recorder.lost, recorder.late, recorder.waiting) == (200, 0, 0, 0)


def test_one_that_cannot_be_written_is_lost_alone() -> None:
    disk = Disk()
    result, recorder = recorded(disk, "a", "bad", "b")
    assert result == [True, False, True]
    assert disk.kept == ["a", "b"]
    assert (recorder.written, recorder.lost) == (2, 1)


@pytest.mark.parametrize(("refusals", "kept"), [(2, True), (99, False)])
def test_a_full_disk_is_tried_again_and_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch, refusals: int, kept: bool) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "TRIES", 4)
    disk = Disk()
    disk.refusals = refusals
    result, recorder = recorded(disk, "a")
    assert result == [kept]
    assert (disk.kept == ["a"]) == kept
    assert recorder.lost == (not kept)


def test_an_answer_does_not_wait_for_a_record_that_hangs() -> None:
    release = threading.Event()
    disk = Disk()

    @contextlib.contextmanager
    def hanging() -> Iterator[None]:
        release.wait(10)
        with disk.transaction():
            yield

    recorder = Recorder(hanging, 0.05)

    async def act() -> tuple[bool, int, int]:
        result = await recorder.record(disk.write("late"))
        waiting, late = recorder.waiting, recorder.late
        release.set()
        while recorder.waiting:
            await asyncio.sleep(0.01)
        return result, waiting, late

    assert asyncio.run(act()) == (False, 1, 1)
    assert disk.kept == ["late"]
    recorder.close()


def test_more_than_may_wait_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 0)
    result, recorder = recorded(Disk(), "a")
    assert result == [False]
    assert recorder.lost == 1
