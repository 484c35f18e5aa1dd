"""Spherical k-means: means, seeds, steps and numbering."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.numerics.arrays import l2_normalize
from lifelong.perception.discovery.spherical import class_means, known_first, lloyd, seeded_centres


def test_class_means_by_hand() -> None:
    rows = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    means = class_means(rows, np.array([0, 0, 2]), 3)
    assert means == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [0, 0], [0, 1]]), abs=1e-6)
    kept = np.array([[9, 9], [3, 4], [9, 9]], dtype=np.float32)
    assert class_means(rows, np.array([0, 0, 2]), 3, empty=kept)[1] == pytest.approx([3, 4])
    assert kept[0, 0] == 9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 3))
def test_lloyd_only_gains_and_ends_where_it_stands_still(seed: int, count: int, pinned: int) -> None:
    draw = np.random.default_rng(seed)
    rows = l2_normalize(draw.normal(size=(30, 5))).astype(np.float32)
    fixed, labels = l2_normalize(draw.normal(size=(pinned, 5))).astype(np.float32), draw.integers(count, size=pinned)
    centres = seeded_centres(rows, count, draw, rows[:0])
    runs = [lloyd(rows, centres, fixed, labels, steps=steps) for steps in (1, 2, 5, 100)]
    assert all(later.similarity >= earlier.similarity - 1e-3 for earlier, later in pairwise(runs))
    last = runs[-1]
    assert np.array_equal(lloyd(rows, last.centres, fixed, labels).labels, last.labels)
    assert np.linalg.norm(last.centres, axis=1) == pytest.approx(1, abs=1e-4)


def test_pinned_rows_pull_their_centre() -> None:
    rows = np.array([[1, 0], [0.8, 0.6]], dtype=np.float32)
    free = lloyd(rows, rows[:1], rows[:0], np.zeros(0, dtype=np.int64))
    pulled = lloyd(rows, rows[:1], np.array([[0, 1]] * 50, dtype=np.float32), np.zeros(50, dtype=np.int64))
    assert free.centres[0] == pytest.approx(l2_normalize(np.array([[1.8, 0.6]]))[0], abs=1e-6)
    assert pulled.centres[0, 1] > 0.99


def test_seeding_takes_rows_that_are_apart() -> None:
    rows = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    centres = seeded_centres(rows, 4, np.random.default_rng(0), rows[:1])
    assert np.array_equal(np.sort(centres.argmax(1)), np.arange(4))


def test_clusters_are_renumbered_known_ones_first() -> None:
    # Cluster 2 holds class 0, cluster 0 holds class 1; 1 and 3 are new.
    assert known_first(np.array([2, 2, 0, 0, 2]), np.array([0, 0, 1, 1, 1]), 4, 2).tolist() == [1, 2, 0, 3]
