"""Anybody's labelled texts: what is known, what will fail and what is new, with the classifiers and baselines of the other cases.

Three cases: all classes are known, and the texts without a label are unknown, where there are some; and a quarter of the classes, drawn
by the seed, is unknown, where there are four classes or more: once for the classifier, once as waking judges. Nothing is chosen on the
test texts.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from ...data.own_texts import CASE, read_own_texts, split_own_texts
from ...data.seeded import Measurements, seeded_rows
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .classifiers import MEMBERS, OpenSetSplit, fitted_classifier, full_split, partial_split
from .rejection import ROUNDS, SHARE, UNKNOWN_RATE, measured
from .wake import deployed_figures

FEWEST = 4
"""Classes from which on some are held out."""


def run(*, quick: bool, seeds: int, texts: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both cases over every seed, each seed another split."""
    own = read_own_texts(texts)
    for note in own.notes:
        print(note, file=sys.stderr)
    splits = [split_own_texts(own, seed) for seed in range(seeds)]

    def figures(split: OpenSetSplit, seed: int) -> Measurements:
        fit = partial(fitted_classifier, split, seed, members=MEMBERS, rounds=ROUNDS, rejection_rate=UNKNOWN_RATE, quick=quick)
        return measured(split, fit, seed, quick, only)

    def whole(seed: int) -> Measurements:
        return figures(full_split(splits[seed]), seed)

    def part(seed: int) -> Measurements:
        return figures(partial_split(splits[seed], SHARE, seed, splits[seed].sentences), seed)

    def deployed(seed: int) -> Measurements:
        split = partial_split(splits[seed], SHARE, seed, splits[seed].sentences)
        return deployed_figures(split.train, split.test, split.unknown, seed, only)

    classes, tested = len(splits[0].names), len(splits[0].test)
    rows = seeded_rows(f"{CASE}, {classes} classes known", whole, seeds, tested + len(splits[0].outliers_test), only=only)
    if classes >= FEWEST:
        case = f"{CASE}, {round(SHARE * classes)} of {classes} classes known"
        rows += seeded_rows(case, part, seeds, tested, only=only)
        rows += seeded_rows(f"{case}, as deployed", deployed, seeds, tested, only=only)
    return rows
