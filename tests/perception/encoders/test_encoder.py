"""Encoders read a bounded part of a text, the same part on every call, and never make one request wait for all of another."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from lifelong.perception import Encoder, HashedEncoder, MiniLMEncoder
from lifelong.perception.encoders.encoder import READ, ends
from lifelong.serving import locate

MAKERS = {"hashed": HashedEncoder, "minilm": lambda: MiniLMEncoder(locate("all-minilm-l6-v2"))}
BOTH = pytest.mark.parametrize("make", [MAKERS["hashed"], pytest.param(MAKERS["minilm"], marks=pytest.mark.model)])
LONG = {
    "words": "order four brushes and a lamp " * 32_000,
    "one word": "x" * 950_000,
    "spaces": " " * 950_000,
    "lines": "\n" * 950_000,
    "marks": "<" * 950_000,
    "letters beyond": "\U0001f600\ud800" * 400_000,
}


def test_a_text_within_the_bound_is_read_whole_and_a_longer_one_at_both_ends() -> None:
    assert ends("a" * READ) == "a" * READ
    text = "b" * READ + "m" * 10**6 + "e" * READ
    assert ends(text) == "b" * (READ // 2) + " " + "e" * (READ // 2)


@BOTH
@pytest.mark.parametrize("name", LONG)
def test_a_very_long_text_costs_no_more_than_the_bound(make: Callable[[], Encoder], name: str) -> None:
    encoder = make()
    encoder.encode(["warm"])
    begun = time.process_time()
    first = encoder.encode([LONG[name]])
    spent = time.process_time() - begun
    assert spent < 3, "a bounded part is read; the whole took minutes"
    assert np.isfinite(first).all()
    assert np.linalg.norm(first[0]) == pytest.approx(1, abs=1e-4)
    assert encoder.encode(["short", LONG[name]])[1] == pytest.approx(first[0], abs=1e-5), "same text, same vector"


@BOTH
def test_both_ends_of_a_long_text_count(make: Callable[[], Encoder]) -> None:
    encoder, filling = make(), "the material is of no interest at all. " * 20_000
    rows = encoder.encode(["Translate this: " + filling, filling + "Count the words.", filling])
    assert (rows[0] @ rows[2], rows[1] @ rows[2]) < (1 - 1e-5, 1 - 1e-5)
