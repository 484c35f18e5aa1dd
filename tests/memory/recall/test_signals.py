from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import examples

from lifelong.memory.recall.signals import (
    SIGNALS,
    Candidates,
    feedback,
    rarest,
    reciprocal_rank,
    session_share,
    signals,
    standard,
    window_share,
)


def made(seed: int = 0, n: int = 7, terms: int = 3) -> Candidates:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Candidates(
        asked=rng.uniform(0.5, 5, terms),
        found=rng.integers(0, 3, (n, terms)).astype(float),
        similarity=vectors @ vectors[0],
        vectors=vectors,
        session=np.array([0] * (n // 2) + [1] * (n - n // 2)),
        position=np.array([*range(n // 2), *range(n - n // 2)]),
        length=rng.integers(1, 30, n).astype(float),
        average_length=12.0,
        question=rng.integers(0, 2, n).astype(float),
        tells_time=rng.integers(0, 2, n).astype(float),
        tells_number=rng.integers(0, 2, n).astype(float),
        named=rng.choice([-1.0, 0.0, 1.0], n),
        period=rng.uniform(0, 1, n),
        asks_time=True,
        asks_number=True,
    )


def test_bm25_by_hand() -> None:
    one = replace(made(n=2, terms=1), asked=np.array([2.0]), found=np.array([[1.0], [0.0]]), length=np.array([12.0, 12.0]))
    # One of one term in a turn of average length: tf / (tf + k1) = 1 / 2.2.
    assert one.bm25 == pytest.approx([1 / 2.2, 0.0])


def test_neighbours_are_of_the_same_session_and_adjacent() -> None:
    one = made()
    values = np.arange(1.0, 8.0)
    assert one.before(values).tolist() == [0, 1, 2, 0, 4, 5, 6]
    assert one.before(values, -1).tolist() == [2, 3, 0, 5, 6, 7, 0]
    apart = replace(one, position=one.position * 2)
    assert not apart.before(values).any()


def test_shares_by_hand() -> None:
    one = replace(made(n=4, terms=2), asked=np.array([3.0, 1.0]), found=np.array([[1.0, 0], [0, 2], [0, 0], [0, 0]]))
    assert one.share(one.found).tolist() == [0.75, 0.25, 0, 0]
    assert session_share(one).tolist() == [1, 1, 0, 0]
    assert window_share(one).tolist() == [1, 1, 0, 0]
    assert rarest(one).tolist() == [1, pytest.approx(1 / 3), 0, 0]


def test_ranks_and_deviations_by_hand() -> None:
    assert reciprocal_rank(np.array([5.0, 9.0, 1.0])) == pytest.approx([10 / 11, 1.0, 10 / 12])
    assert standard(np.array([1.0, 3.0])) == pytest.approx([-1, 1])
    assert standard(np.array([2.0, 2.0])).tolist() == [0, 0]


def test_feedback_prefers_what_is_like_the_best() -> None:
    one = made(n=9)
    best = int(np.argmax(one.both))
    assert feedback(one)[best] > np.median(feedback(one))


@settings(max_examples=examples(40))
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(0, 5))
def test_every_signal_is_finite_whatever_the_candidates(seed: int, n: int, terms: int) -> None:
    values = signals(made(seed, n, terms))
    assert values.shape == (n, len(SIGNALS))
    assert np.isfinite(values).all()


@given(st.integers(0, 10_000))
def test_a_signal_never_changes_its_input(seed: int) -> None:
    one, same = made(seed), made(seed)
    signals(one)
    assert all(np.array_equal(getattr(one, name), getattr(same, name)) for name in ("asked", "found", "similarity", "session", "length"))


def test_more_of_the_question_in_a_turn_never_lowers_its_words() -> None:
    one = made(3)
    fuller = replace(one, found=np.maximum(one.found, 1.0))
    assert (fuller.bm25 >= one.bm25 - 1e-12).all()
    assert math.isclose(float(fuller.share(fuller.found).min()), 1.0)
