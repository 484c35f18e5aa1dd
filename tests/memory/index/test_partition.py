"""The vectors of one tenant: exact, or in cells; what was removed is gone."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.memory.index.partition import PER_CELL, Partition, cell_count, sample_size


def unit(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def filled(in_cells: bool, rows: np.ndarray) -> Partition:
    numbers = np.arange(10, 10 + len(rows))
    partition = Partition.in_cells(rows, numbers, len(rows)) if in_cells else Partition()
    partition.add(numbers[:30], rows[:30])
    partition.add(numbers[30:], rows[30:])
    return partition


@pytest.mark.parametrize("in_cells", [False, True], ids=["exact", "cells"])
def test_the_nearest_come_first_and_what_is_removed_is_gone(in_cells: bool) -> None:
    rows = unit(50)
    partition = filled(in_cells, rows)
    assert len(partition) == partition.unsaved == 50
    assert sorted(partition.numbers().tolist()) == list(range(10, 60))
    numbers, similarities = partition.search(rows[7], 5)
    assert numbers[0] == 17
    np.testing.assert_allclose(similarities, np.sort(rows @ rows[7])[::-1][:5], atol=2e-3)
    partition.remove(np.array([17, 20]))
    assert 17 not in partition.search(rows[7], 50)[0]
    assert sorted(partition.numbers().tolist()) == sorted({*range(10, 60)} - {17, 20})
    assert partition.worn == in_cells, "the cells were centred with their help"


def test_an_empty_one_finds_nothing() -> None:
    partition = Partition()
    assert len(partition) == len(partition.numbers()) == len(partition.search(unit(1)[0], 3)[0]) == 0


def test_cells_grow_with_the_root_and_their_sample_with_them() -> None:
    assert (cell_count(1), cell_count(10_000), cell_count(1_000_000)) == (1, 100, 1000)
    assert (sample_size(3), sample_size(1_000_000)) == (3, 1000 * PER_CELL)
