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
from ....perception import Encoder
from ...data.class_stream import HeadFactory, StreamHead, class_stream, run_stream
from ...data.seeded import Measurements, rows_of
from ...data.texts import TWO_VIEWS, TextData, banking77, clinc150, with_two_views
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .plain_baselines import LogisticHead, SeededKMeans
from .sampled_memories import QuantisedMemory, RawMemory, SampledMemoryHead
from .text_memory import KnownTexts, TextLogisticHead, TextSleepHead

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
METHODS |= {
    "joint_logistic": lambda seed: LogisticHead(),
    f"nearest_mean{TWO_VIEWS}": lambda seed: NearestMeanHead(),
    f"streaming_lda{TWO_VIEWS}": lambda seed: StreamingLDAHead(),
    f"replay_20{TWO_VIEWS}": lambda seed: ReplayHead(per_class=20, seed=seed),
    f"joint_logistic{TWO_VIEWS}": lambda seed: LogisticHead(),
    f"lifelong{TWO_VIEWS}": lambda seed: CueHead(seed=seed),
}
TEXT_METHODS: dict[str, Callable[[Encoder, int], StreamHead]] = {
    "zlib_texts_logistic": lambda encoder, seed: TextLogisticHead(encoder),
    f"zlib_texts_logistic{TWO_VIEWS}": lambda encoder, seed: TextLogisticHead(encoder),
    "zlib_texts_same_sleep": lambda encoder, seed: TextSleepHead(encoder, seed=seed),
}
"""Methods that keep the texts themselves, deflated, and encode them again before they sleep."""
OURS_NAME = "lifelong"
LABELLED: dict[str, Callable[[int], StreamHead]] = {
    "lifelong_semi_ipc": lambda seed: PrototypeHead(seed=seed),
    "seeded_kmeans": lambda seed: SeededKMeans(),
    "ipc_labelled_only": lambda seed: PrototypeHead(seed=seed),
    "nearest_mean_labelled_only": lambda seed: NearestMeanHead(),
}
"""Methods of the case with few labels; the last two see labelled samples alone."""
TABLE = (OURS_NAME, *METHODS, *TEXT_METHODS)
"""Methods of the case with all labels."""
OURS: dict[str, HeadFactory] = {
    "clinc150": lambda seed: CueHead(seed=seed),
    "banking77": lambda seed: CueHead(step=0.05, kept=1.0, directions=64, seed=seed),
}
LAST_ONLY = (
    *("joint_softmax", "joint_same_sleep", "quantised_48_same_sleep", "joint_logistic", f"joint_logistic{TWO_VIEWS}"),
    *(f"lifelong{TWO_VIEWS}", *TEXT_METHODS),
)
"""Asked at the end alone: those that see all samples at every step forget nothing by that, and the sleep is that of `lifelong`."""
QUICK = ("nearest_mean", "ridge", "replay_5", "joint_softmax", "zlib_texts_logistic")
FEW, MIXED = "one label in 100", "one label in 100, old classes come again"
OLD = 0.5
"""Share of the unlabelled samples of earlier groups that come again with each group, in the mixed case."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets in full, and with a label on one sample in a hundred; seeds side by side, one core each.

    A method that `only` names and the table does not is a head of the extension point `heads`, or `module:Class`.
    """
    rows: list[Row] = []
    with worker_pool() as pool:
        for case, (name, _) in CASES.items():
            measures: dict[str, Callable[[Path, bool, RowFilter, int], Measurements]] = {
                case: partial(streams, case),
                f"{case}, {FEW}": partial(few_labels, case, False),
                f"{case}, {MIXED}": partial(few_labels, case, True),
            }
            for one, measure in measures.items():
                table = TABLE if one == case else tuple(LABELLED)
                if not only.wants_case(one) or not (any(map(only.wants_method, table)) or (one == case and own_heads(only))):
                    continue
                texts = LOADED[name](data)
                with_two_views(texts)  # both are encoded here once; the workers read the vectors from the cache
                rows += rows_of(one, pool.map(partial(measure, data, quick, only), range(seeds)), n=len(texts.test))
    return rows


def own_heads(only: RowFilter) -> list[str]:
    """Methods that are asked for and are heads of the extension point."""
    return only.own("heads", (*TABLE, *LABELLED))


def streams(case: str, data: Path, quick: bool, only: RowFilter, seed: int) -> Measurements:
    """All methods on the stream of a seed."""
    name, steps = CASES[case]
    texts = LOADED[name](data)
    views = {both: class_stream(one, steps, seed, 2 if quick else None) for both, one in ((False, texts), (True, with_two_views(texts)))}
    table = {OURS_NAME: OURS[name], **METHODS}
    table |= {method: partial(make, KnownTexts(views[method.endswith(TWO_VIEWS)].train)) for method, make in TEXT_METHODS.items()}
    quickly = (OURS_NAME, *QUICK) if quick and not only.methods else table
    makes = {method: table[method] for method in quickly if only.wants_method(method)}
    makes |= {method: partial(_own_head, method) for method in own_heads(only)}
    return {
        (method, metric): value
        for method, make in makes.items()
        for metric, value in run_stream(make(seed), views[method.endswith(TWO_VIEWS)], every_step=method not in LAST_ONLY).items()
    }


def _own_head(name: str, seed: int) -> Head:
    head: Head = create("heads", name, seed=seed)
    return head


def few_labels(case: str, mixed: bool, data: Path, quick: bool, only: RowFilter, seed: int) -> Measurements:
    """One sample of a hundred has a label, and one of each class at least; the others come without.

    In the `mixed` case unlabelled samples of earlier groups come again among those of each group.
    """
    name, steps = CASES[case]
    stream = class_stream(LOADED[name](data), steps, seed, 2 if quick else None)
    draw = np.random.default_rng(seed)
    some = np.concatenate([_drawn(stream.train.labels == label, draw) for label in np.concatenate(stream.groups)])
    partly = np.full(len(stream.train), UNLABELLED)
    partly[some] = stream.train.labels[some]
    heads = {method: make(seed) for method, make in LABELLED.items() if only.wants_method(method)}
    seen = np.zeros(len(stream.train), dtype=bool)
    for group in stream.groups:
        come = np.isin(stream.train.labels, group)
        again = seen & (partly == UNLABELLED) & (draw.random(len(seen)) < OLD) if mixed else np.zeros_like(seen)
        named = come & (partly != UNLABELLED)
        for method, head in heads.items():
            given = named if method.endswith("labelled_only") else come | again
            head.learn(stream.train.vectors[given], partly[given])
        seen |= come
    figures: dict[tuple[str, str], NDArray[np.floating]] = {}
    for method, head in heads.items():
        hits = np.full(len(LOADED[name](data).test), np.nan)
        hits[stream.tested] = head.predict(stream.test.vectors) == stream.test.labels
        figures[method, "last_accuracy"] = hits
    if len(heads) == len(LABELLED):
        for other in ("ipc_labelled_only", "seeded_kmeans"):
            gain = figures["lifelong_semi_ipc", "last_accuracy"] - figures[other, "last_accuracy"]
            figures["lifelong_semi_ipc", f"gain_over_{other}"] = gain
    return figures


def _drawn(mask: NDArray[np.bool_], draw: np.random.Generator) -> NDArray[np.int64]:
    places = np.flatnonzero(mask)
    return draw.choice(places, size=max(1, round(len(places) / 100)), replace=False)
