"""Class after class on frozen sentence vectors: last and average accuracy, forgetting, bytes a class and seconds; and few labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....core.plugins import create
from ....learners import (
    UNLABELLED,
    CueHead,
    Head,
    KernelLDAHead,
    NearestMeanHead,
    ParetoHead,
    PrototypeAugmentationHead,
    PrototypeHead,
    RanPACHead,
    ReplayHead,
    RidgeHead,
    StreamingLDAHead,
)
from ...data.class_stream import HeadFactory, class_stream, run_stream
from ...data.seeded import Metrics, rows_of
from ...data.texts import TextData, Texts, banking77, clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .sampled_memories import QuantisedMemory, RawMemory, SampledMemoryHead

LOADED: dict[str, Callable[[Path], TextData]] = {"clinc150": clinc150, "banking77": banking77}
CASES = {"clinc150 10x15": ("clinc150", 10), "banking77 7x11": ("banking77", 7)}
"""Data set and steps of each case."""
METHODS: dict[str, HeadFactory] = {
    "nearest_mean": lambda seed: NearestMeanHead(),
    "streaming_lda": lambda seed: StreamingLDAHead(),
    "ridge": lambda seed: RidgeHead(),
    "ranpac_2000": lambda seed: RanPACHead(seed=seed),
    "kernel_lda_2000": lambda seed: KernelLDAHead(seed=seed),
    "prototypes_ipc": lambda seed: PrototypeHead(seed=seed),
    "pass": lambda seed: PrototypeAugmentationHead(form="sampled", hardness=0.0, seed=seed),
    "pass_plus_plus": lambda seed: PrototypeAugmentationHead(seed=seed),
    "pareto_20": lambda seed: ParetoHead(seed=seed),
    "naive_softmax": lambda seed: ReplayHead(per_class=0, seed=seed),
    "replay_5": lambda seed: ReplayHead(per_class=5, seed=seed),
    "replay_20": lambda seed: ReplayHead(per_class=20, seed=seed),
    "joint_softmax": lambda seed: ReplayHead(per_class=None, seed=seed),
    "quantised_48_same_sleep": lambda seed: SampledMemoryHead(QuantisedMemory(), seed=seed),
    "joint_same_sleep": lambda seed: SampledMemoryHead(RawMemory(per_class=None, seed=seed), seed=seed),
}
OURS_NAME = "lifelong"
LABELLED = ("lifelong_semi_ipc", "ipc_labelled_only", "nearest_mean_labelled_only")
"""Methods of the case with few labels."""
TABLE = (OURS_NAME, *METHODS)
"""Methods of the case with all labels."""
OURS: dict[str, HeadFactory] = {
    "clinc150": lambda seed: CueHead(seed=seed),
    "banking77": lambda seed: CueHead(step=0.05, kept=1.0, directions=64, seed=seed),
}
LAST_ONLY = ("joint_softmax", "joint_same_sleep", "quantised_48_same_sleep")
"""Asked at the end alone: those that see all samples at every step forget nothing by that, and the sleep is that of `lifelong`."""
QUICK = ("nearest_mean", "ridge", "replay_5", "joint_softmax")


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets in full, and with a label on one sample in a hundred; seeds side by side, one core each.

    A method that `only` names and the table does not is a head of the extension point `heads`, or `module:Class`.
    """
    rows: list[Row] = []
    with worker_pool() as pool:
        for case in CASES:
            few = f"{case}, one label in 100"
            wanted = [(case, streams)] if only.wants_case(case) and (any(map(only.wants_method, TABLE)) or own_heads(only)) else []
            wanted += [(few, few_labels)] if only.wants_case(few) and any(map(only.wants_method, LABELLED)) else []
            for one, measure in wanted:
                texts = LOADED[CASES[case][0]](data)  # encoded here once; the workers read the vectors from the cache
                measured = pool.map(partial(measure, case, data, quick, only), range(seeds))
                rows += rows_of(one, measured, n=len(texts.test))
    return rows


def own_heads(only: RowFilter) -> list[str]:
    """Methods that are asked for and are heads of the extension point."""
    return only.others((*TABLE, *LABELLED))


def streams(case: str, data: Path, quick: bool, only: RowFilter, seed: int) -> Metrics:
    """All methods on the stream of a seed."""
    name, steps = CASES[case]
    stream = class_stream(LOADED[name](data), steps, seed, 2 if quick else None)
    table = {OURS_NAME: OURS[name], **METHODS}
    quickly = (OURS_NAME, *QUICK) if quick and not only.methods else table
    makes = {method: table[method] for method in quickly if only.wants_method(method)}
    makes |= {method: partial(_own_head, method) for method in own_heads(only)}
    return {
        (method, metric): value
        for method, make in makes.items()
        for metric, value in run_stream(make(seed), stream, every_step=method not in LAST_ONLY).items()
    }


def _own_head(name: str, seed: int) -> Head:
    head: Head = create("heads", name, seed=seed)
    return head


def few_labels(case: str, data: Path, quick: bool, only: RowFilter, seed: int) -> Metrics:
    """One sample of a hundred has a label, and one of each class at least; the others come without."""
    name, steps = CASES[case]
    stream = class_stream(LOADED[name](data), steps, seed, 2 if quick else None)
    draw = np.random.default_rng(seed)
    some = np.concatenate([_drawn(stream.train.labels == label, draw) for label in np.concatenate(stream.groups)])
    partly = np.full(len(stream.train), UNLABELLED)
    partly[some] = stream.train.labels[some]
    alone, helped = PrototypeHead(seed=seed), PrototypeHead(seed=seed)
    heads: dict[str, Head] = dict(zip(LABELLED, (helped, alone, NearestMeanHead()), strict=True))
    for group in stream.groups:
        come = np.isin(stream.train.labels, group)
        named = come & (partly != UNLABELLED)
        for head in heads.values():
            given = come if head is helped else named
            head.learn(stream.train.vectors[given], partly[given])
    figures = {(method, "last_accuracy"): _accuracy(head.predict(stream.test.vectors), stream.test) for method, head in heads.items()}
    gain = figures["lifelong_semi_ipc", "last_accuracy"] - figures["ipc_labelled_only", "last_accuracy"]
    return {**figures, ("lifelong_semi_ipc", "gain_over_labelled_only"): gain}


def _drawn(mask: NDArray[np.bool_], draw: np.random.Generator) -> NDArray[np.int64]:
    places = np.flatnonzero(mask)
    return draw.choice(places, size=max(1, round(len(places) / 100)), replace=False)


def _accuracy(predicted: NDArray[np.int64], texts: Texts) -> float:
    return float((predicted == texts.labels).mean())
