"""MiniLM itself trained through LoRA, class after class: DESIRE beside one LoRA that goes on, the first task's alone, none, and all.

Every method sees the same texts in the same order and trains with the same recipe. What DESIRE leaves open was chosen with class order 100
on CLINC150's validation texts and on training texts of BANKING77 that were held out. On a GPU all texts are read; on a CPU a few of each
class, which the name of the case says.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ....core import Settings
from ....core.plugins import create
from ....learners import AdaptedEncoder, DesireLearner, EncoderRecipe, RanPACHead
from ....numerics.arrays import Vector
from ....perception import Encoder
from ....serving import locate
from ...data.class_stream import ClassStream, class_stream, stream_forgetting
from ...data.seeded import Metrics, rows_of
from ...data.texts import ENCODER, TextData, banking77, clinc150, sample_per_class
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

if TYPE_CHECKING:
    from ....learners.experimental.adapters.adapted_encoder import Change

OURS, JOINT = "lifelong_desire", "joint_lora"
DRAWS = 3
"""Seeds at most."""


@dataclass(frozen=True, kw_only=True)
class TextScale:
    """How much is read."""

    texts: int
    """To learn from, of each class at most."""
    tested: int
    """To be measured on, of each class at most."""
    recipe: EncoderRecipe
    """Of every training."""
    groups: int | None = None
    """Of classes; None: all."""


FULL = TextScale(texts=1000, tested=1000, recipe=EncoderRecipe(epochs=6))
REDUCED = TextScale(texts=20, tested=10, recipe=EncoderRecipe())
QUICK = TextScale(texts=5, tested=3, recipe=EncoderRecipe(epochs=1), groups=2)


CASES: dict[str, tuple[Callable[[Path], TextData], int]] = {"clinc150 10x15": (clinc150, 10), "banking77 7x11": (banking77, 7)}
"""Texts and groups of each case; on a CPU the first is measured alone."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every method; as many seeds at once as there are cores, or one after another on a GPU."""
    import torch

    scale = QUICK if quick else FULL if torch.cuda.is_available() else REDUCED
    found: list[Row] = []
    with worker_pool() as pool:
        for case, (load, steps) in list(CASES.items())[: None if scale is FULL else 1]:
            amount = "all texts" if scale is FULL else f"{scale.texts} texts a class"
            named = f"{case}, encoder trained, {amount}"
            if not only.wants_case(named):
                continue
            texts = load(data)
            measured = list(pool.map(partial(measure, case, texts, steps, scale, only), range(min(seeds, DRAWS))))
            tested = min(scale.tested * len(texts.names), len(texts.test))
            found += rows_of(named, measured, n=tested)
    return only.rows(found)


def measure(case: str, texts: TextData, steps: int, scale: TextScale, only: RowFilter, seed: int) -> Metrics:
    """The figures of one seed."""
    started = time.perf_counter()
    figures = figures_of(AdaptedEncoder.load(locate(ENCODER)), stream_of(texts, steps, scale, seed), scale.recipe, seed, only)
    last = ", ".join(f"{method} {value:.4f}" for (method, metric), value in figures.items() if metric == "last_accuracy")
    print(f"{case}, encoder trained, seed {seed}: {last} ({time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True)
    return figures


def stream_of(data: TextData, steps: int, scale: TextScale, seed: int) -> ClassStream:
    """So many texts of each class, in groups of classes."""
    some = replace(data, train=sample_per_class(data.train, scale.texts, seed), test=sample_per_class(data.test, scale.tested, seed))
    return class_stream(some, steps, seed, scale.groups)


def figures_of(encoder: AdaptedEncoder, stream: ClassStream, recipe: EncoderRecipe, seed: int, only: RowFilter = ALL_ROWS) -> Metrics:
    """All methods on one stream; the LoRAs of single tasks are trained once for the methods that share them, and counted for each.

    A method that `only` names and the table does not is a frozen encoder of somebody else, under RanPAC.
    """
    tasks: list[Change] = []
    spent: list[float] = []
    needed = len(stream.groups) if only.wants_any((OURS, "desire_average")) else int(only.wants_method("first_session_ranpac"))
    for step in range(needed):
        fresh, started = stream.train_at(step), time.perf_counter()
        tasks.append(encoder.train(fresh.texts, fresh.labels, replace(recipe, seed=seed + step))[0])
        spent.append(time.perf_counter() - started)
    learners: dict[str, tuple[Callable[[], TextLearner], Sequence[float]]] = {
        OURS: (lambda: Desire(DesireLearner(encoder, seed=seed), tasks), spent),
        "desire_average": (lambda: Desire(DesireLearner(encoder, merge="average", seed=seed), tasks), spent),
        "naive_lora": (lambda: NaiveLoRA(encoder, replace(recipe, seed=seed)), ()),
        "first_session_ranpac": (lambda: OnRanPAC(partial(encoder.encode, change=tasks[0]), seed), spent[:1]),
        "frozen_ranpac": (lambda: OnRanPAC(encoder.encode, seed), ()),
    }
    own = {name: (partial(own_encoder, name, seed), ()) for name in only.own("encoders", (*learners, JOINT))}
    wanted = {name: one for name, one in learners.items() if only.wants_method(name)} | own
    found = {
        (name, metric): value for name, (make, extra) in wanted.items() for metric, value in run_stream(make(), stream, sum(extra)).items()
    }
    if only.wants_method(JOINT):
        started = time.perf_counter()
        joint = NaiveLoRA(encoder, replace(recipe, seed=seed))
        joint.learn(stream.train.texts, stream.train.labels)
        found[JOINT, "seconds"] = time.perf_counter() - started
        found[JOINT, "last_accuracy"] = float((joint.predict(stream.test.texts) == stream.test.labels).mean())
    if not only.wants_method(OURS):
        return found
    gains = {
        (OURS, f"last_accuracy_less_{name}"): found[OURS, "last_accuracy"] - value
        for (name, metric), value in found.items()
        if metric == "last_accuracy" and name != OURS
    }
    return {**found, **gains}


class TextLearner(Protocol):
    """Learns from texts, task after task."""

    def learn(self, texts: Sequence[str], labels: NDArray[np.int64]) -> None:
        """A task."""

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Class numbers `(n,)`."""


class Desire:
    """DESIRE, given each task's LoRA."""

    def __init__(self, learner: DesireLearner, tasks: Sequence[Change]) -> None:
        self.learner, self.tasks = learner, tasks

    def learn(self, texts: Sequence[str], labels: NDArray[np.int64]) -> None:
        """A task."""
        self.learner.learn(texts, labels, self.tasks[self.learner.tasks])

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Class numbers `(n,)`."""
        return self.learner.predict(texts)


class NaiveLoRA:
    """One LoRA that goes on from task to task, with a cosine classifier whose old class vectors stay; given all at once, joint training."""

    def __init__(self, encoder: AdaptedEncoder, recipe: EncoderRecipe) -> None:
        self.encoder, self.recipe = encoder, recipe
        self.change: Change | None = None
        self.vectors: dict[int, NDArray[np.float32]] = {}

    def learn(self, texts: Sequence[str], labels: NDArray[np.int64]) -> None:
        """A task."""
        self.change, vectors = self.encoder.train(texts, labels, self.recipe, self.change)
        self.vectors |= dict(zip(np.unique(labels).tolist(), vectors.cpu().numpy(), strict=True))

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Class numbers `(n,)`."""
        known = np.array(sorted(self.vectors), dtype=np.int64)
        centres = np.stack([self.vectors[label] for label in known.tolist()])
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        return np.asarray(known[(self.encoder.encode(texts, self.change) @ centres.T).argmax(1)])


class OnRanPAC:
    """RanPAC on an encoder that stays: adapted to the first task (first-session adaptation), or frozen from the start."""

    def __init__(self, encode: Callable[[Sequence[str]], Vector], seed: int) -> None:
        self.encode, self.head = encode, RanPACHead(seed=seed)

    def learn(self, texts: Sequence[str], labels: NDArray[np.int64]) -> None:
        """A task."""
        self.head.learn(self.encode(texts), labels)

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Class numbers `(n,)`."""
        return self.head.predict(self.encode(texts))


def own_encoder(name: str, seed: int) -> OnRanPAC:
    """RanPAC on an encoder by its name, or `module:Class`."""
    encoder: Encoder = create("encoders", name, settings=Settings())
    return OnRanPAC(encoder.encode, seed)


def run_stream(learner: TextLearner, stream: ClassStream, extra: float = 0.0) -> Mapping[str, float]:
    """Task after task: accuracies, forgetting and seconds, `extra` ones added; what a learner prepares late is counted."""
    steps = len(stream.groups)
    table, seen, spent = np.full((steps, steps), np.nan), [], extra
    for step in range(steps):
        fresh, started = stream.train_at(step), time.perf_counter()
        learner.learn(fresh.texts, fresh.labels)
        learner.predict(fresh.texts[:1])
        spent += time.perf_counter() - started
        tested = stream.test.subset(np.isin(stream.test.labels, np.concatenate(stream.groups[: step + 1])))
        hits = learner.predict(tested.texts) == tested.labels
        table[step, : step + 1] = [hits[np.isin(tested.labels, group)].mean() for group in stream.groups[: step + 1]]
        seen.append(float(hits.mean()))
    return {
        "last_accuracy": seen[-1],
        "average_accuracy": float(np.mean(seen)),
        "forgetting": stream_forgetting(table),
        "seconds": spent,
    }
