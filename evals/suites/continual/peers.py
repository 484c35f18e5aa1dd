"""The same streams under other packages' own code: accuracy and seconds of Avalanche and river beside ours, where they are installed.

Avalanche is trained on CLINC150's whole stream. river takes a sample at a time, and some ten milliseconds for it: it is trained on
the first two groups, and all methods of that case are tested on a third of the test set.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ....learners import ReplayHead, RidgeHead, StreamingLDAHead
from ...data.class_stream import StreamHead, class_stream, run_stream
from ...data.seeded import Measurement, Measurements, rows_of
from ...data.texts import clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .peer_libraries import avalanche_heads, river_heads

METHODS = {
    "avalanche": ("lifelong_streaming_lda", "lifelong_replay_20", "avalanche_slda", "avalanche_replay_20"),
    "river": ("lifelong_ridge", "lifelong_streaming_lda", "river_softmax", "river_naive_bayes"),
}
"""Of the case beside each package."""
METRICS = ("last_accuracy", "seconds")


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both packages; a line says which is not installed, and `quick` leaves them out."""
    rows: list[Row] = []
    if quick:
        return rows
    clinc150(data)
    measures: dict[str, tuple[str, Callable[[Path, int], Measurements]]] = {
        "avalanche": ("clinc150 10x15 beside avalanche", beside_avalanche),
        "river": ("clinc150 2 of 10 groups beside river", beside_river),
    }
    with worker_pool() as pool:
        for package, (case, measure) in measures.items():
            if not only.wants_case(case) or not only.wants_any(METHODS[package]):
                continue
            if importlib.util.find_spec(package) is None:
                print(f'{package} is not installed and is left out; for its rows: pip install "lifelong[peers]"', file=sys.stderr)
                continue
            try:
                rows += rows_of(case, pool.map(partial(measure, data), range(seeds)))
            except ImportError as error:  # a package that is there and lacks another costs its own rows, not those of all others
                print(f'{package} cannot be imported and is left out ({error}); pip install "lifelong[peers]"', file=sys.stderr)
    return rows


def beside_avalanche(data: Path, seed: int) -> Measurements:
    """SLDA and replay, theirs and ours."""
    texts = clinc150(data)
    stream = class_stream(texts, 10, seed)
    heads: dict[str, StreamHead] = {"lifelong_streaming_lda": StreamingLDAHead(), "lifelong_replay_20": ReplayHead(per_class=20, seed=seed)}
    theirs = avalanche_heads(len(texts.names), texts.train.vectors.shape[1], seed)
    return _figures({**heads, **theirs}, lambda head: run_stream(head, stream, every_step=False))


def beside_river(data: Path, seed: int) -> Measurements:
    """Their classifiers of single samples, and our heads in closed form."""
    stream = class_stream(clinc150(data), 10, seed, 2)
    stream = replace(stream, test=stream.test.subset(np.arange(len(stream.test)) % 3 == 0))
    heads: dict[str, StreamHead] = {"lifelong_ridge": RidgeHead(), "lifelong_streaming_lda": StreamingLDAHead()}
    return _figures({**heads, **river_heads()}, lambda head: run_stream(head, stream, every_step=False))


def _figures(heads: dict[str, StreamHead], live: Callable[[StreamHead], dict[str, Measurement]]) -> Measurements:
    figures: dict[tuple[str, str], Measurement] = {}
    for method, head in heads.items():
        measured = live(head)
        figures |= {(method, metric): measured[metric] for metric in METRICS}
    return figures
