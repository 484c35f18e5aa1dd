"""Anybody's labelled texts, class after class: ours beside plain baselines that need no more than the texts."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from ...data.class_stream import class_stream, run_stream
from ...data.own_texts import CASE, OwnTexts, read_own_texts, split_own_texts
from ...data.seeded import Measurements, seeded_rows
from ...data.texts import TWO_VIEWS, with_two_views
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .streams import METHODS, OURS, OURS_NAME, TEXT_METHODS
from .text_memory import KnownTexts

MOST_STEPS = 10
"""Groups in which the classes come, at most; each has two classes at least, where there are four."""
DEFAULTS = "clinc150"
"""The data set whose settings are the defaults of ours."""
PLAIN = (
    *("nearest_mean", "streaming_lda", "ridge", "replay_5", "replay_20", "naive_softmax", "joint_softmax"),
    *("joint_logistic", f"joint_logistic{TWO_VIEWS}"),
)


def run(*, quick: bool, seeds: int, texts: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """The stream of every seed, each another split and another order; `quick` is the same, since the file sets the size."""
    own = read_own_texts(texts)
    for note in own.notes:
        print(note, file=sys.stderr)
    classes = len(set(own.labels))
    steps = min(MOST_STEPS, max(1, classes // 2))
    tested = len(split_own_texts(own, 0).test)
    return seeded_rows(f"{CASE}, {classes} classes in {steps} groups", partial(measure, own, steps, only), seeds, tested)


def measure(own: OwnTexts, steps: int, only: RowFilter, seed: int) -> Measurements:
    """All methods on the split and order of a seed, tested at the end."""
    data = split_own_texts(own, seed)
    views = {both: class_stream(one, steps, seed) for both, one in ((False, data), (True, with_two_views(data)))}
    makes = {OURS_NAME: OURS[DEFAULTS], **{method: METHODS[method] for method in PLAIN}}
    makes |= {method: partial(make, KnownTexts(views[method.endswith(TWO_VIEWS)].train)) for method, make in TEXT_METHODS.items()}
    return {
        (method, metric): value
        for method, make in makes.items()
        if only.wants_method(method)
        for metric, value in run_stream(make(seed), views[method.endswith(TWO_VIEWS)], every_step=False).items()
    }
