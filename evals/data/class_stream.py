"""Classes that come in groups, one group after another: the protocol of the continual suite."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...learners import CueHead, Head, NearestMeanHead, ReplayHead
from ...metrics.continual import mean_forgetting
from .texts import TextData, Texts


class StreamHead(Protocol):
    """What a stream asks of a head."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class numbers known."""

    def learn(self, vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        """Add samples."""

    def predict(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Class numbers."""

    def state(self) -> dict[str, NDArray[Any]]:
        """What is kept."""


HeadFactory = Callable[[int], Head]
"""A head of a seed."""
FIRST_ORDER = 2003
"""Seed of the first class order. Those from 1993 on, which publications begin with, were looked at while methods were settled."""


@dataclass(frozen=True, kw_only=True)
class ClassStream:
    """A data set whose classes come in groups of equal size, in an order of its own."""

    groups: tuple[NDArray[np.int64], ...]
    """Class numbers of each group."""
    train: Texts
    """To learn from."""
    test: Texts
    """To be measured on."""

    def train_at(self, step: int) -> Texts:
        """What comes at a step."""
        return self.train.subset(np.isin(self.train.labels, self.groups[step]))

    def test_at(self, step: int) -> Texts:
        """The test samples of that step's classes."""
        return self.test.subset(np.isin(self.test.labels, self.groups[step]))


def class_groups(classes: int, steps: int, seed: int) -> tuple[NDArray[np.int64], ...]:
    """The class numbers in the random order of a seed, cut into groups."""
    order = np.random.default_rng(FIRST_ORDER + seed).permutation(classes)
    return tuple(np.sort(part) for part in np.array_split(order, steps))


def class_stream(data: TextData, steps: int, seed: int, groups: int | None = None) -> ClassStream:
    """The classes in a random order, in `steps` groups; the first `groups` of them where not all are wanted."""
    parts = class_groups(len(data.names), steps, seed)[:groups]
    known = np.concatenate(parts)
    return ClassStream(
        groups=parts, train=data.train.subset(np.isin(data.train.labels, known)), test=data.test.subset(np.isin(data.test.labels, known))
    )


def run_stream(head: StreamHead, stream: ClassStream, *, every_step: bool = True) -> dict[str, float]:
    """Learn group after group; accuracies over the steps, forgetting, bytes kept a class and seconds, those of the sleeps included.

    With `every_step=False` only the end is tested, and `average_accuracy` and `forgetting` are left out.
    """
    table = np.full((len(stream.groups), len(stream.groups)), np.nan)
    tests = [stream.test_at(step) for step in range(len(stream.groups))]
    seen: list[float] = []
    started, spent = time.perf_counter(), 0.0
    for step in range(len(stream.groups)):
        fresh = stream.train_at(step)
        head.learn(fresh.vectors, fresh.labels)
        if not every_step and step + 1 < len(stream.groups):
            continue
        head.predict(fresh.vectors[:1])  # lazy heads prepare here, so that it is counted
        paused = time.perf_counter()
        hits = [head.predict(part.vectors) == part.labels for part in tests[: step + 1]]
        table[step, : step + 1] = [part.mean() for part in hits]
        seen.append(float(np.concatenate(hits).mean()))
        spent += time.perf_counter() - paused
    figures = {"last_accuracy": seen[-1], "bytes_per_class": kept_bytes(head) / len(head.labels)}
    figures["seconds"] = time.perf_counter() - started - spent
    if every_step:
        figures["average_accuracy"] = float(np.mean(seen))
        figures["forgetting"] = stream_forgetting(table)
    return figures


def stream_forgetting(table: NDArray[np.float64]) -> float:
    """How far each group but the last has fallen from its best, at the end; `table[i, j]` is group j's accuracy after step i.

    `mean_forgetting` of a stream that learns one group a step, and was not measured before its first. Zero for a single group.
    """
    before = [np.nan] * table.shape[1]
    return mean_forgetting([before, *table.tolist()]) if len(table) > 1 else 0.0


def kept_bytes(head: StreamHead) -> float:
    """Bytes that a head keeps from one group to the next in order to learn on.

    Cues are counted as they lie in the file, raw samples and nearest means in float16, all other arrays in float32, though they
    are float64 where they must be exact, and a symmetric matrix once above its diagonal.
    """
    if isinstance(head, CueHead):
        return head.memory.bytes
    total = 0.0
    for name, array in head.state().items():
        if array.ndim < 1 or name.endswith("between_scatter"):
            continue  # it follows from the sums
        if isinstance(head, NearestMeanHead) and name != "sums":
            continue
        if isinstance(head, ReplayHead) and head.per_class != 0 and name in ("weights", "bias"):
            continue  # refitted from the samples every time
        symmetric = name.endswith("gram")
        size = array.size if not symmetric else len(array) * (len(array) + 1) / 2
        total += size * (2 if name in ("kept", "kept_labels") or isinstance(head, NearestMeanHead) else 4)
    return total
