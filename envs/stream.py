"""Environments one after another: which task comes at which position, repeatable and resumable."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ..core import Task
from .environment import Environment, Split

Order = Literal["blocks", "interleaved"]
"""`blocks`: block after block, with a sharp shift between them; `interleaved`: all mixed from the start."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some tasks of one environment. A block listed twice repeats its tasks; another `start` takes further ones."""

    environment: str
    """Id of the environment."""
    count: int
    """How many tasks."""
    split: Split = "train"
    """From which split."""
    start: int = 0
    """How many tasks of the split to pass over."""

    def __post_init__(self) -> None:
        if self.count < 0 or self.start < 0:
            raise ValueError(f"block of {self.environment!r} has count {self.count} and start {self.start}; both must be 0 or more")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One position of a stream."""

    position: int
    """From 0."""
    block: int
    """Which block it belongs to."""
    task: Task
    """What to do."""
    environment: Environment
    """Where to do it."""


def schedule(counts: Sequence[int], *, order: Order = "blocks", seed: int = 0) -> tuple[tuple[int, int], ...]:
    """(block, index within the block) for every position.

    Interleaving draws which block comes next, and keeps the order within each block.
    """
    blocks = [block for block, count in enumerate(counts) for _ in range(count)]
    if order == "interleaved":
        random.Random(seed).shuffle(blocks)
    seen = [0] * len(counts)
    positions = []
    for block in blocks:
        positions.append((block, seen[block]))
        seen[block] += 1
    return tuple(positions)


class Stream:
    """An iterable of `Item`. Same arguments, same stream; `from_position` goes on where a run stopped."""

    def __init__(self, environments: Mapping[str, Environment], blocks: Sequence[Block], *, seed: int = 0, order: Order = "blocks") -> None:
        missing = sorted({block.environment for block in blocks} - set(environments))
        if missing:
            raise ValueError(f"no environment for {missing}; given: {sorted(environments)}")
        self.blocks = tuple(blocks)
        self._environments = environments
        self._seed = seed
        self._schedule = schedule([block.count for block in blocks], order=order, seed=seed)

    def __len__(self) -> int:
        return len(self._schedule)

    def __iter__(self) -> Iterator[Item]:
        return self.from_position(0)

    def from_position(self, position: int) -> Iterator[Item]:
        """The items from `position` on. Raises `ValueError` outside of 0 to `len(self)`."""
        if not 0 <= position <= len(self):
            raise ValueError(f"position {position} is outside of this stream of {len(self)} tasks")
        return self._items(position)

    def block(self, number: int) -> list[Item]:
        """The items of one block, in their order."""
        return [item for item in self if item.block == number]

    def _items(self, first: int) -> Iterator[Item]:
        for position in range(first, len(self)):
            block, index = self._schedule[position]
            environment = self._environments[self.blocks[block].environment]
            yield Item(position=position, block=block, task=self._tasks[block][index], environment=environment)

    @cached_property
    def _tasks(self) -> list[Sequence[Task]]:
        """The tasks of every block."""
        return [
            self._environments[block.environment].tasks(block.split, block.start + block.count, seed=self._seed)[block.start :]
            for block in self.blocks
        ]
