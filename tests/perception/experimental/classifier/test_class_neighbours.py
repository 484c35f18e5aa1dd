"""Nearest neighbours by class."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.perception import ClassNeighbours


def test_neighbours_golden() -> None:
    # Cosines of (0, 2) to the four samples: 0, 0.8, 1 and -1.
    bank = np.array([[1, 0], [3, 4], [0, 5], [0, -1]], dtype=np.float32)
    around = ClassNeighbours(bank, np.array([7, 7, 2, 7]), depth=5, few=2).around(np.array([[0, 2]], dtype=np.float32), np.array([7]))
    np.testing.assert_allclose(around.nearest, [[1, 0.8]], atol=1e-6)
    np.testing.assert_allclose(around.ranked, [[1, 0.8, 0, -1, -1]], atol=1e-6)
    np.testing.assert_allclose(around.own, [0.4], atol=1e-6)


@pytest.mark.parametrize("named", [[0], [0, 0, 1]])
def test_neighbours_refuse_what_they_do_not_know(named: list[int]) -> None:
    bank = ClassNeighbours(np.eye(2, dtype=np.float32), np.array([0, 3]))
    with pytest.raises(ValueError, match="one known class a vector"):
        bank.around(np.eye(2, dtype=np.float32), np.array(named))
    with pytest.raises(ValueError, match="one of each are needed"):
        ClassNeighbours(np.zeros((0, 2), dtype=np.float32), np.zeros(0, dtype=np.int64))
