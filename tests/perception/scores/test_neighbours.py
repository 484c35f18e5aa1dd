from __future__ import annotations

import numpy as np
import pytest

from lifelong.perception import conformal_quantile, leave_one_out_novelty, nearest_neighbour_novelty


def test_nearest_neighbour_novelty_golden() -> None:
    bank = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert nearest_neighbour_novelty(np.array([0, 1], dtype=np.float32), bank) == pytest.approx(0.2)
    assert nearest_neighbour_novelty(np.array([1, 0], dtype=np.float32), bank) == 0.0
    assert nearest_neighbour_novelty(np.array([1, 0], dtype=np.float32), bank[:0]) == 2.0
    assert nearest_neighbour_novelty(np.array([-1, 0], dtype=np.float32), bank[:1]) == 2.0


def test_leave_one_out_novelty_golden() -> None:
    bank = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    np.testing.assert_allclose(leave_one_out_novelty(bank), [0.4, 0.2, 0.2], atol=1e-6)
    assert leave_one_out_novelty(bank[:1]).shape == (0,)
    expected = [nearest_neighbour_novelty(row, np.delete(bank, number, axis=0)) for number, row in enumerate(bank)]
    np.testing.assert_allclose(leave_one_out_novelty(bank), expected, atol=1e-6)


def test_conformal_quantile_golden() -> None:
    values = np.arange(1.0, 20.0)
    # 19 values: rank ceil(20 * 0.9) = 18, and ceil(20 * 0.95) = 19; past the last, the largest.
    assert conformal_quantile(values, 0.9) == 18.0
    assert conformal_quantile(values[::-1], 0.95) == 19.0
    assert conformal_quantile(values, 0.99) == 19.0
    with pytest.raises(ValueError, match="not defined"):
        conformal_quantile(np.zeros(0), 0.9)


def test_conformal_quantile_covers_what_it_promises() -> None:
    draw = np.random.default_rng(0)
    below = [draw.exponential() <= conformal_quantile(draw.exponential(size=39), 0.9) for _ in range(3000)]
    assert np.mean(below) == pytest.approx(0.9, abs=0.02)
