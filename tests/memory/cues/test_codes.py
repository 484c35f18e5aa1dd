"""Codes of vectors: the tree of samples, directions, and what comes back of a class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.memory.cues.codes import (
    BASIS_STEP,
    COORDINATE_GROUPS,
    Codebook,
    completion_features,
    coordinate_groups,
    fit_codebook,
    leading_directions,
    mean_step,
    order_by_parent,
    split,
)
from lifelong.memory.cues.model import CORRELATION_LEVELS, LARGEST, rounded

D = 16


def sample_class(seed: int, count: int = 12) -> np.ndarray:
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=D) + 0.4 * draw.normal(size=(count, D))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def mean_of(rows: np.ndarray) -> np.ndarray:
    return np.rint(rows.mean(0) / mean_step(D)).astype(np.int64)


@pytest.fixture(scope="module")
def book() -> Codebook:
    groups = [(mean_of(rows), rows) for rows in map(sample_class, range(4))]
    residuals = np.concatenate([rows - mean_step(D) * mean for mean, rows in groups])
    return fit_codebook(residuals.T @ residuals / len(residuals), groups, 4, 0.05)


def test_what_is_recalled_is_close_and_a_finer_lattice_is_closer(book: Codebook) -> None:
    rows = sample_class(9)
    one = order_by_parent(mean_of(rows), rounded(book.coordinates(rows, mean_of(rows))), book.deviations)
    recalled = book.vectors(one)
    nearest = np.linalg.norm(rows[:, None] - recalled, axis=2).min(1)
    assert nearest.max() < 0.25, "against vectors of length one"
    assert np.abs(book.basis.T @ book.basis - np.eye(D)).max() < 1e-12, "the basis is orthonormal in spite of its rounding"


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 9))
def test_every_sample_stands_once_behind_its_parent(seed: int, count: int) -> None:
    codes = np.random.default_rng(seed).integers(-3, 4, (count, D))
    deviations = np.full((CORRELATION_LEVELS + 1, D), 9, dtype=np.uint8)
    one = order_by_parent(np.zeros(D, dtype=np.int64), codes, deviations)
    assert sorted(map(tuple, one.codes.tolist())) == sorted(map(tuple, codes.tolist()))
    assert all(parent < place for place, parent in enumerate(one.parents[1:].tolist(), start=1))
    assert (int(one.parents[0]), int(one.levels[0])) == (0, 0)
    assert one.levels.min() >= 0
    assert one.levels.max() <= CORRELATION_LEVELS
    assert np.array_equal(one.quarters()[1:], one.levels[1:, None] * one.codes[one.parents[1:]])


def test_features_of_completion_by_hand() -> None:
    codes = np.array([[2, 0], [4, 2], [0, 4]])
    book = order_by_parent(np.zeros(2, dtype=np.int64), codes, np.full((CORRELATION_LEVELS + 1, 2), 9, dtype=np.uint8))
    features = completion_features(book)
    assert features.shape == (4, 3, 2)
    assert np.array_equal(features[0], book.codes)
    assert np.allclose(features[3], [2, 2]), "the mean code of the class"
    children = [book.codes[[p for p in range(1, 3) if book.parents[p] == place]] for place in range(3)]
    assert np.allclose(features[2], [rows.mean(0) if len(rows) else [0, 0] for rows in children])


def test_leading_directions_are_those_of_largest_variance() -> None:
    found = np.abs(leading_directions(np.diag([1.0, 9.0, 4.0]), 2))
    assert (found > 0).tolist() == [[False, False], [True, False], [False, True]]
    assert found.max() * BASIS_STEP <= 1
    assert np.abs(leading_directions(np.eye(4), 4)).max() <= LARGEST


@pytest.mark.parametrize("d", [COORDINATE_GROUPS, 32, 384])
def test_groups_hold_every_coordinate_once_and_are_of_about_one_size(d: int) -> None:
    groups = coordinate_groups(d)
    assert np.concatenate(groups).tolist() == list(range(d))
    assert len(groups) == COORDINATE_GROUPS
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=6))
def test_streams_come_apart_as_they_were(streams: list[bytes]) -> None:
    lengths = np.array([len(stream) for stream in streams], dtype="<u2").tobytes()
    assert split(lengths + b"".join(streams), len(streams)) == streams


def test_a_book_without_directions_comes_back() -> None:
    groups = [(mean_of(rows), rows) for rows in map(sample_class, range(2))]
    plain = fit_codebook(np.eye(D), groups, 0, 0.1)
    again = Codebook.from_bytes(plain.to_bytes())
    assert np.array_equal(again.basis, np.eye(D))
    assert again.step == plain.step
    assert np.array_equal(again.weights, plain.weights)
