"""`lifelong bench unlearning`: samples and classes taken back from heads in closed form, against retraining from scratch.

What networks lose and keep is measured in the suite `networks`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....core import DataMissing, PluginError
from ....core.plugins import create
from ....learners import KernelLDAHead, NearestMeanHead, RanPACHead, RidgeHead, StreamingLDAHead, UnlearningHead
from ....numerics.class_statistics import ClassStatistics
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import Texts, clinc150
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

HEADS: dict[str, Callable[[int], UnlearningHead]] = {
    "lifelong_nearest_mean": lambda seed: NearestMeanHead(),
    "lifelong_streaming_lda": lambda seed: StreamingLDAHead(),
    "lifelong_ridge": lambda seed: RidgeHead(),
    "lifelong_ranpac": lambda seed: RanPACHead(seed=seed),
    "lifelong_kernel_lda": lambda seed: KernelLDAHead(seed=seed),
}
GAUSSIANS = "lifelong_class_gaussians"
QUICK = ("lifelong_nearest_mean", "lifelong_ridge")
SIZES = ("1", "10", "1000", "a whole class")


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every size of request. Raises `DataMissing` where no data directory is named."""
    if data is None:
        raise DataMissing("suite unlearning reads clinc150 (lifelong bench --list); name their directory with --data or LIFELONG_DATA")
    texts = clinc150(data)
    train = texts.train.subset(texts.train.labels < 20) if quick else texts.train
    rows: list[Row] = []
    for size in SIZES:

        def measure(seed: int, size: str = size) -> Metrics:
            gone = requested(size, train.labels, seed)
            figures: dict[tuple[str, str], float] = {}
            for name, make in wanted_heads(quick, only).items():
                figures |= erased(name, partial(make, seed), train, gone, texts.test.vectors)
            return {**figures, **(_gaussians(train, gone) if only.wants_method(GAUSSIANS) else {})}

        rows += seeded_rows(f"erase {size}" if size.startswith("a") else f"erase {size} of {len(train)}", measure, seeds, only=only)
    return rows


def wanted_heads(quick: bool, only: RowFilter) -> dict[str, Callable[[int], UnlearningHead]]:
    """Heads of the table whose rows, or those of their retraining, are wanted; a method that the table has not is somebody's own head."""
    table = {name: HEADS[name] for name in HEADS if name in QUICK or not quick or only.methods}
    known = {name: (name, f"{name.removeprefix('lifelong_')}_retrained") for name in HEADS}
    own = only.own("heads", (GAUSSIANS, *(method for methods in known.values() for method in methods)))
    heads = {name: make for name, make in table.items() if only.wants_any(known[name])}
    return heads | {name: partial(_own_head, name) for name in own}


def _own_head(name: str, seed: int) -> UnlearningHead:
    head: UnlearningHead = create("heads", name, seed=seed)
    if not callable(getattr(head, "unlearn", None)):
        raise PluginError(f"the head {name!r} has no method unlearn; the suite continual measures heads that only learn")
    return head


def requested(size: str, labels: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """The samples of a request: so many at random, or all of a random class."""
    draw = np.random.default_rng(seed)
    if not size.isdigit():
        return np.asarray(labels == draw.choice(np.unique(labels)))
    gone = np.zeros(len(labels), dtype=bool)
    gone[draw.choice(len(labels), size=int(size), replace=False)] = True
    return gone


def erased(
    name: str, make: Callable[[], UnlearningHead], train: Texts, gone: NDArray[np.bool_], test_vectors: NDArray[np.float32]
) -> Metrics:
    """Largest difference of any logit to a head that never saw the samples, and the seconds of both ways; refits are in neither."""
    head, retrained = make(), make()
    head.learn(train.vectors, train.labels)
    before = head.logits(test_vectors)
    start = time.perf_counter()
    head.unlearn(train.vectors[gone], train.labels[gone])
    taken = time.perf_counter()
    retrained.learn(train.vectors[~gone], train.labels[~gone])
    done = time.perf_counter()
    difference = float(np.abs(head.logits(test_vectors) - retrained.logits(test_vectors)).max())
    same_classes = before.shape[1] == len(head.labels)
    figures = {
        (name, "largest_logit_difference_x1e9"): 1e9 * difference,
        (name, "unlearn_ms"): 1000 * (taken - start),
        (f"{name.removeprefix('lifelong_')}_retrained", "unlearn_ms"): 1000 * (done - taken),
    }
    if same_classes:  # how much there was to forget
        figures[name, "logit_change_by_erasure"] = float(np.abs(before - head.logits(test_vectors)).max())
    return figures


def _gaussians(train: Texts, gone: NDArray[np.bool_]) -> Metrics:
    """Class means and the covariance they share, taken back and made anew."""
    moments, anew = (
        ClassStatistics.from_samples(train.vectors, train.labels),
        ClassStatistics.from_samples(train.vectors[~gone], train.labels[~gone]),
    )
    moments.forget(train.vectors[gone], train.labels[gone])
    differences = (np.abs(moments.means - anew.means).max(), np.abs(moments.within() - anew.within()).max())
    return {(GAUSSIANS, "largest_moment_difference_x1e9"): 1e9 * float(max(differences))}
