"""Validation, normalisation and batching of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.numerics.arrays import BLOCK, batched, l2_normalize, validate_rows


def test_rows_become_float32_and_keep_their_numbers() -> None:
    rows = validate_rows("vectors", np.arange(6, dtype=np.float64).reshape(2, 3)[:, ::-1], 3)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert rows.tolist() == [[2, 1, 0], [5, 4, 3]]


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (np.zeros(3), None, r"vectors have the shape \(3,\); rows of equal columns"),
        (np.zeros((2, 3)), 4, r"vectors have the shape \(2, 3\); rows of 4 columns"),
        (np.array([[1, np.nan]]), None, "vectors hold NaN or infinite"),
        (np.array([[1, np.inf]]), None, "vectors hold NaN or infinite"),
        (np.array([[np.inf, -np.inf]]), None, "vectors hold NaN or infinite"),
    ],
)
def test_what_are_no_rows_is_refused(rows: np.ndarray, columns: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        validate_rows("vectors", rows, columns)


def test_large_finite_entries_whose_sum_overflows_are_rows() -> None:
    large = np.full((2, 2), np.finfo(np.float32).max)
    assert np.array_equal(validate_rows("vectors", large), large)
    assert validate_rows("vectors", np.zeros((0, 5))).shape == (0, 5)


def test_normalising_by_hand_and_a_zero_row_stays() -> None:
    assert l2_normalize(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0.0, 0.0]]


@given(st.integers(0, 2**31), st.integers(1, 9), st.floats(1e-3, 1e3))
def test_directions_do_not_depend_on_length(seed: int, count: int, scale: float) -> None:
    rows = np.random.default_rng(seed).normal(size=(count, 4))
    assert np.allclose(np.linalg.norm(l2_normalize(rows), axis=1), 1)
    assert np.allclose(l2_normalize(scale * rows), l2_normalize(rows))


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_batches_give_every_row_its_own_score(count: int) -> None:
    left, right = np.arange(count, dtype=np.float32)[:, None], np.full((count, 1), 2, dtype=np.float32)
    sizes: list[int] = []

    def formula(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        sizes.append(len(one))
        return (one * other)[:, 0]

    scores = batched(formula, left, right)
    assert scores.dtype == np.float32
    assert np.array_equal(scores, 2 * np.arange(count, dtype=np.float32))
    assert max(sizes, default=0) <= BLOCK
