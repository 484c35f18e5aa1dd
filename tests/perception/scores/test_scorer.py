from __future__ import annotations

import numpy as np
import pytest

from lifelong.numerics.arrays import BLOCK, batched, validate_rows


def test_large_entries_are_finite_though_their_sum_overflows() -> None:
    large = np.full((2, 3), 3e38, dtype=np.float32)
    assert validate_rows("logits", large) is large
    large[1, 2] = -np.inf
    with pytest.raises(ValueError, match="infinite"):
        validate_rows("logits", large)


@pytest.mark.parametrize("bad", [(np.nan, 0.0), (np.inf, 0.0), (np.inf, -np.inf)])
def test_what_is_not_finite_is_found(bad: tuple[float, float]) -> None:
    rows = np.zeros((40, 7), dtype=np.float32)
    rows[3, 4], rows[30, 6] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        validate_rows("vectors", rows)


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_blocks_cover_every_row_once_and_in_order(count: int) -> None:
    first, second = np.arange(count, dtype=np.float32)[:, None], np.ones((count, 2), dtype=np.float32)
    seen: list[int] = []

    def formula(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        seen.append(len(one))
        return np.asarray(one[:, 0] * other.sum(1))

    np.testing.assert_array_equal(batched(formula, first, second), 2 * np.arange(count))
    assert sum(seen) == count
    assert all(0 < length <= BLOCK for length in seen)
