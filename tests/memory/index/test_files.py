"""A partition comes back from its files as it was, for the same rows only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lifelong.memory import Position
from lifelong.memory.index.files import read, read_position, write
from lifelong.memory.index.partition import Partition
from lifelong.memory.index_files import discard


def written(directory: Path, in_cells: bool) -> Partition:
    rows = np.eye(8, dtype=np.float32)
    numbers = np.arange(8) + 5
    partition = Partition.in_cells(rows, numbers, 8) if in_cells else Partition()
    partition.add(numbers, rows)
    partition.position = Position(generation=1, last=12, changed=3)
    write(directory, "ann", partition, "seal")
    return partition


@pytest.mark.parametrize("in_cells", [False, True], ids=["exact", "cells"])
def test_what_was_written_comes_back(tmp_path: Path, in_cells: bool) -> None:
    partition = written(tmp_path, in_cells)
    assert read_position(tmp_path, "ann") == partition.position
    again = read(tmp_path, "ann", "seal")
    assert (again.position, again.cells_for, again.unsaved) == (partition.position, partition.cells_for, 0)
    assert again.trained.tolist() == partition.trained.tolist()
    assert again.search(np.eye(8, dtype=np.float32)[2], 1)[0].tolist() == [7]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_files_of_other_rows_or_other_bytes_are_refused(tmp_path: Path) -> None:
    written(tmp_path, in_cells=False)
    with pytest.raises(ValueError, match="not the one described"):
        read(tmp_path, "ann", "another seal")
    [data] = tmp_path.glob("*.faiss")
    data.write_bytes(data.read_bytes()[:-1] + b"\xff")
    with pytest.raises(ValueError, match="not the one described"):
        read(tmp_path, "ann", "seal")


def test_where_there_is_no_file_there_is_no_position(tmp_path: Path) -> None:
    written(tmp_path, in_cells=False)
    assert read_position(tmp_path, "ben") is None
    [description] = tmp_path.glob("*.json")
    description.write_text(description.read_text().replace('"format": 2', '"format": 1'))
    assert read_position(tmp_path, "ann") is None
    discard(tmp_path, ["ann"])
    assert list(tmp_path.iterdir()) == []
