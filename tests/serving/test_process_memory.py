"""Memory is given back where the C library can, and nothing happens where it cannot."""

import ctypes
from types import SimpleNamespace

import pytest

from lifelong.serving import give_back_memory


def test_the_c_library_is_asked_where_it_knows_how(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(malloc_trim=asked.append))
    give_back_memory()
    assert asked == [0]
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    give_back_memory()
    assert asked == [0]


def test_it_runs_on_this_machine() -> None:
    give_back_memory()
