"""Classes that come in groups, one group after another: the protocol of the continual suite."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...learners import NearestMeanHead, ReplayHead
from ...metrics.continual import mean_forgetting
from .resident import resident_bytes
from .seeded import Measurement
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


@runtime_checkable
class TextStreamHead(StreamHead, Protocol):
    """A head that keeps texts and not only their vectors."""

    def learn_texts(self, texts: Texts) -> None:
        """Add samples, in the place of `learn`."""


HeadFactory = Callable[[int], StreamHead]
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
    tested: NDArray[np.bool_] | None = None
    """Which of the data set's test samples those are; all where it is not said."""

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
    tested = np.isin(data.test.labels, known)
    return ClassStream(
        groups=parts, train=data.train.subset(np.isin(data.train.labels, known)), test=data.test.subset(tested), tested=tested
    )


def run_stream(head: StreamHead, stream: ClassStream, *, every_step: bool = True) -> dict[str, Measurement]:
    """Learn group after group; accuracies over the steps, forgetting, bytes kept a class and a sample, and seconds, sleeps included.

    Accuracies and forgetting are values of the test samples, whose means they are. With `every_step=False` only the end is
    tested, and `average_accuracy` and `forgetting` are left out. `resident_bytes_per_class` is what a process holds to answer and
    to learn on, the encoder aside.
    """
    tested = np.ones(len(stream.test), dtype=bool) if stream.tested is None else stream.tested
    hits = np.full((len(stream.groups), len(tested)), np.nan)
    places = [np.flatnonzero(tested)[np.isin(stream.test.labels, group)] for group in stream.groups]
    started, spent = time.perf_counter(), 0.0
    for step in range(len(stream.groups)):
        fresh = stream.train_at(step)
        if isinstance(head, TextStreamHead):
            head.learn_texts(fresh)
        else:
            head.learn(fresh.vectors, fresh.labels)
        if not every_step and step + 1 < len(stream.groups):
            continue
        head.predict(fresh.vectors[:1])  # lazy heads prepare here, so that it is counted
        paused = time.perf_counter()
        for earlier in range(step + 1):
            part = stream.test_at(earlier)
            hits[step, places[earlier]] = head.predict(part.vectors) == part.labels
        spent += time.perf_counter() - paused
    kept = kept_bytes(head)
    figures: dict[str, Measurement] = {"last_accuracy": hits[-1]}
    figures |= {"bytes_per_class": kept / len(head.labels), "bytes_per_sample": kept / len(stream.train)}
    figures["resident_bytes_per_class"] = resident_bytes(head) / len(head.labels)
    figures["seconds"] = time.perf_counter() - started - spent
    if every_step:
        figures["average_accuracy"] = average_values(hits)
        figures["forgetting"] = forgetting_values(hits, places)
    return figures


def average_values(hits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values `(n,)` of test samples whose mean is the accuracy on all classes known, averaged over the steps.

    `hits` `(steps, n)` are 1 and 0, NaN where a sample's class was not known yet; samples never tested stay NaN.
    """
    tested = ~np.isnan(hits)
    shares = np.nan_to_num(hits) / tested.sum(1, keepdims=True)
    return np.where(tested[-1], tested[-1].sum() * shares.mean(0), np.nan)


def forgetting_values(hits: NDArray[np.float64], places: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Values `(n,)` of test samples whose mean says how far each group but the last has fallen from its best, at the end.

    As `stream_forgetting`, its best step taken as given. `hits` as of `average_values`, `places[j]` the samples of group j.
    """
    tested = ~np.isnan(hits[-1])
    values = np.where(tested, 0.0, np.nan)
    for step, samples in enumerate(places[:-1]):
        accuracies = hits[step:-1, samples].mean(1)
        best = hits[step + int(accuracies.argmax()), samples]
        values[samples] = tested.sum() * (best - hits[-1, samples]) / ((len(places) - 1) * len(samples))
    return values


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
    memory = getattr(head, "memory", None)
    if memory is not None:
        return float(memory.bytes)
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
