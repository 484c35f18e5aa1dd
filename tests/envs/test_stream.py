from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.envs import Block, DatabaseEnvironment, GraphEnvironment, Stream, schedule

ENVIRONMENTS = {"database-v1": DatabaseEnvironment(), "graph-v1": GraphEnvironment()}
BLOCKS = (
    Block(environment="database-v1", count=3),
    Block(environment="graph-v1", count=2),
    Block(environment="database-v1", count=2, start=1),
)


def test_golden_schedules() -> None:
    assert schedule([2, 1]) == ((0, 0), (0, 1), (1, 0))
    assert schedule([2, 2], order="interleaved", seed=1) == schedule([2, 2], order="interleaved", seed=1)


@given(st.lists(st.integers(0, 6), max_size=5), st.integers(0, 99))
def test_interleaving_loses_nothing_and_keeps_each_block_in_order(counts: list[int], seed: int) -> None:
    positions = schedule(counts, order="interleaved", seed=seed)
    assert Counter(positions) == Counter(schedule(counts))
    for block, count in enumerate(counts):
        assert [index for found, index in positions if found == block] == list(range(count))


def test_blocks_repeat_and_shift() -> None:
    items = list(Stream(ENVIRONMENTS, BLOCKS, seed=2))
    assert [item.position for item in items] == list(range(7))
    assert [item.block for item in items] == [0, 0, 0, 1, 1, 2, 2]
    assert [item.task for item in items[5:]] == [item.task for item in items[1:3]]
    assert items[3].environment is ENVIRONMENTS["graph-v1"]
    assert items[3].task.environment == "graph-v1"


@pytest.mark.parametrize("order", ["blocks", "interleaved"])
def test_resumes_where_it_stopped(order) -> None:
    whole = list(Stream(ENVIRONMENTS, BLOCKS, seed=2, order=order))
    assert list(Stream(ENVIRONMENTS, BLOCKS, seed=2, order=order).from_position(4)) == whole[4:]


def test_bad_arguments_are_said() -> None:
    with pytest.raises(ValueError, match="no environment for \\['chess'\\]"):
        Stream(ENVIRONMENTS, [Block(environment="chess", count=1)])
    with pytest.raises(ValueError, match="position 8"):
        Stream(ENVIRONMENTS, BLOCKS).from_position(8)
    with pytest.raises(ValueError, match="count -1"):
        Block(environment="graph-v1", count=-1)


def test_the_face_is_light() -> None:
    code = "import sys, lifelong.envs; print([name for name in ('gymnasium', 'minigrid', 'pyoxigraph', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
