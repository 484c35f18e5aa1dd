"""A text is read once within a minute; rows are the encoder's own, bounded in number, and gone after an erasure."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from lifelong.checks import check_encoder
from lifelong.numerics.arrays import Vector
from lifelong.perception import HashedEncoder
from lifelong.perception.encoders import recent
from lifelong.perception.encoders.recent import RecentEncoder


class Counting:
    """Counts the texts that it reads."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self._encoder = HashedEncoder(64)

    @property
    def dimensions(self) -> int:
        return 64

    def encode(self, texts: Sequence[str]) -> Vector:
        self.read += texts
        return self._encoder.encode(texts)


def test_it_is_an_encoder() -> None:
    check_encoder(lambda: RecentEncoder(HashedEncoder()))


def test_a_text_is_read_once_and_has_the_same_row() -> None:
    counting = Counting()
    encoder = RecentEncoder(counting)
    first = encoder.encode(["one", "two", "one", "\ud800"])
    again = encoder.encode(["two", "three", "one"])
    assert counting.read == ["one", "two", "\ud800", "three"]
    np.testing.assert_array_equal(again, HashedEncoder(64).encode(["two", "three", "one"]))
    np.testing.assert_array_equal(first[0], again[2])


def test_rows_are_the_callers_own() -> None:
    encoder = RecentEncoder(HashedEncoder(64))
    encoder.encode(["one"])[:] = 7
    np.testing.assert_array_equal(encoder.encode(["one"]), HashedEncoder(64).encode(["one"]))


def test_what_is_forgotten_or_old_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counting, now = Counting(), [0.0]
    encoder = RecentEncoder(counting)
    monkeypatch.setattr("lifelong.perception.encoders.recent.time.monotonic", lambda: now[0])
    encoder.encode(["one"])
    encoder.forget()
    assert not encoder._kept
    encoder.encode(["one"])
    now[0] = recent.SECONDS + 1
    encoder.encode(["two"])
    assert len(encoder._kept) == 1
    encoder.encode(["one"])
    assert counting.read == ["one", "one", "two", "one"]


def test_it_keeps_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifelong.perception.encoders.recent.MOST", 3)
    counting = Counting()
    encoder = RecentEncoder(counting)
    for number in range(10):
        encoder.encode([f"text {number}"])
    assert len(encoder._kept) == 3
    encoder.encode(["text 9", "text 0"])
    assert counting.read[10:] == ["text 0"]


def test_what_is_read_while_something_is_erased_is_not_kept() -> None:
    class Slow(Counting):
        def encode(self, texts: Sequence[str]) -> Vector:
            begun.set()
            assert erased.wait(10)
            return super().encode(texts)

    begun, erased = threading.Event(), threading.Event()
    encoder = RecentEncoder(Slow())
    reading = threading.Thread(target=encoder.encode, args=(["a secret"],))
    reading.start()
    assert begun.wait(10)
    encoder.forget()
    erased.set()
    reading.join()
    assert not encoder._kept
