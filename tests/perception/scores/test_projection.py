"""A projection subtracts, multiplies and scales to length one."""

from __future__ import annotations

import numpy as np

from lifelong.perception.scores.projection import Projection

MEAN = np.array([1, 1, 0], dtype=np.float32)
MATRIX = np.array([[2, 0], [0, 1], [0, 0]], dtype=np.float32)
PROJECTION = Projection(mean=MEAN, matrix=MATRIX, centres=np.eye(2, dtype=np.float32))


def test_by_hand() -> None:
    rows = np.array([[2.5, 5, 9], [1, -3, 0]], dtype=np.float32)
    shown = PROJECTION.transform(rows)
    assert shown.dtype == np.float32
    assert np.allclose(shown, [[0.6, 0.8], [0, -1]])


def test_the_mean_itself_has_no_direction() -> None:
    assert PROJECTION.transform(MEAN[None]).tolist() == [[0, 0]]
    assert PROJECTION.transform(np.zeros((0, 3), dtype=np.float32)).shape == (0, 2)


def test_what_the_matrix_leaves_out_does_not_count() -> None:
    rows = np.array([[3, 2, 0], [3, 2, 100]], dtype=np.float32)
    assert np.array_equal(*PROJECTION.transform(rows))
