"""Out-of-scope samples where none are given: known classes are held out in turn, and the rest is learned without them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ....numerics.arrays import Labels, Vector
from ...selective.fusion import Columns

CLASSES = 0.2
"""Share of the classes held out in a round: these samples stand for out-of-scope ones."""
SAMPLES = 0.1
"""Share of the other classes' samples held out in a round: these are known, and new."""

ScoreFunction = Callable[[Vector], Columns]
"""Scores `(n, m)` of vectors by something that was fitted."""


def held_out_classes(
    vectors: Vector, labels: Labels, fit: Callable[[Vector, Labels, int], ScoreFunction], *, rounds: int, seed: int
) -> tuple[Columns, Columns]:
    """Scores of known and of out-of-scope samples that what scored them had not seen, over all rounds.

    `fit(vectors, labels, round)` learns what is left of the samples `(n, d)` and gives its judge. Each round draws its own
    classes. A repeat of a sample is left out: it would teach that known samples lie nearer than they do. Every class keeps
    one sample to be known by, so that no known sample may come back where each has one only. Raises `ValueError` for fewer
    than two classes and for no round.
    """
    labels = np.asarray(labels, dtype=np.int64)
    first = {(int(label), row.tobytes()): place for place, (label, row) in reversed(list(enumerate(zip(labels, vectors, strict=True))))}
    places = np.sort(np.array(list(first.values()), dtype=np.int64))
    vectors, labels = vectors[places], labels[places]
    classes = np.unique(labels)
    if len(classes) < 2 or rounds < 1:
        raise ValueError(f"{len(classes)} classes and {rounds} rounds; two classes and one round at least are needed to hold a class out")
    draw = np.random.default_rng(seed)
    known: list[Columns] = []
    out_of_scope: list[Columns] = []
    for number in range(rounds):
        gone = np.isin(labels, draw.permutation(classes)[: max(1, round(CLASSES * len(classes)))])
        fresh = ~gone & (draw.random(len(labels)) < SAMPLES)
        for label in np.setdiff1d(classes, labels[~gone & ~fresh]):
            fresh[np.flatnonzero((labels == label) & ~gone)[:1]] = False
        kept = ~gone & ~fresh
        judge = fit(vectors[kept], labels[kept], number)
        known.append(judge(vectors[fresh]))
        out_of_scope.append(judge(vectors[gone]))
    return np.concatenate(known), np.concatenate(out_of_scope)
