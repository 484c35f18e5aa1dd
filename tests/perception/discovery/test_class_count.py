"""How many classes there are: by hand, on groups, and within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.numerics.arrays import l2_normalize
from lifelong.perception import class_count_interval, estimate_class_count
from lifelong.perception.discovery.class_count import PairSums, jackknife, known_share, modular_count, prototype_score


def groups(seed: int, count: int, each: int, dimensions: int = 32, noise: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), each)
    centres = l2_normalize(draw.normal(size=(count, dimensions)))
    return l2_normalize(centres[labels] + noise * draw.normal(size=(len(labels), dimensions)) / np.sqrt(dimensions) * 2).astype(
        np.float32
    ), labels


def test_the_known_share_by_hand() -> None:
    # Same-class pairs are 0.9 alike, others 0.1, the pool 0.3: 0.3 = 0.25 x 0.9 + 0.75 x 0.1, so every fourth row is of a row's own class.
    pairs = np.full((2, 2), 100.0)
    sums = PairSums(
        between=np.array([[90.0, 10.0], [10.0, 90.0]]), pairs=pairs, pool=np.array([300.0, 300.0]), pool_pairs=np.array([1000.0, 1000.0])
    )
    assert known_share(sums) == pytest.approx(0.25)
    three = PairSums(
        between=np.full((3, 3), 10.0) + 80 * np.eye(3), pairs=np.full((3, 3), 100.0), pool=np.full(3, 300.0), pool_pairs=np.full(3, 1000.0)
    )
    assert jackknife(three) == pytest.approx([0.25] * 3)


@pytest.mark.parametrize("known", [5, 15])
def test_the_count_is_found_where_some_classes_are_known(known: int) -> None:
    rows, labels = groups(3, 20, 40)
    labelled = (labels < known) & (np.arange(len(labels)) % 5 == 0)
    count = estimate_class_count(rows[~labelled], rows[labelled], labels[labelled])
    assert abs(count - 20) <= 2
    again = estimate_class_count(rows[~labelled][::-1].copy(), rows[labelled], labels[labelled])
    assert abs(again - count) <= 1


def test_the_count_is_near_where_nothing_is_known() -> None:
    rows, _ = groups(3, 12, 40)
    assert 10 <= modular_count(rows) <= 14
    assert estimate_class_count(rows, rows[:0], np.zeros(0, dtype=np.int64)) == modular_count(rows)


def test_the_count_keeps_its_bounds() -> None:
    rows, labels = groups(0, 4, 10)
    assert estimate_class_count(rows[:0], rows, labels) == 4
    assert estimate_class_count(rows[:1], rows[1:], labels[1:]) in (4, 5)
    assert estimate_class_count(rows[:1], rows[:0], labels[:0]) == 1


def test_the_prototype_score_by_hand() -> None:
    known, labels = np.eye(2, dtype=np.float32), np.array([0, 1])
    vectors = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert prototype_score(np.array([0, 1, 0, 1]), vectors, known, labels, 2) == pytest.approx(1 + (1 + 0.8) / 2)
    assert prototype_score(np.array([0, 0, 2, 2]), vectors, known, labels, 2) == pytest.approx(0.5)


def test_the_interval_holds_the_estimate_and_the_truth_on_clear_classes() -> None:
    draw = np.random.default_rng(3)
    labels = np.repeat(np.arange(20), 30)
    rows = np.eye(32)[labels] + 0.08 * draw.normal(size=(600, 32))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    shown = (labels < 8) & (np.arange(600) % 3 == 0)
    found = class_count_interval(rows[~shown], rows[shown], labels[shown])
    assert found.low <= found.count <= found.high
    assert found.low <= 20 <= found.high
    nothing = class_count_interval(rows, rows[:0], labels[:0])
    assert nothing.low <= nothing.count <= nothing.high
    assert nothing.low <= 20 <= nothing.high


def test_an_interval_stays_between_the_known_and_the_possible() -> None:
    rows = np.eye(4, dtype=np.float32)
    alone = class_count_interval(rows[:0], rows[:2], np.array([0, 1]))
    assert (alone.count, alone.low, alone.high) == (2, 2, 2)
    few = class_count_interval(rows[2:], rows[:2], np.array([0, 1]))
    assert 2 <= few.low <= few.count <= few.high <= 4
