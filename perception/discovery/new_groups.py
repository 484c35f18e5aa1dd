"""Unknown tasks sorted into groups that may become skills: how many kinds there are, and which of their groups hold together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Labels, Vector
from ..scores.neighbours import leave_one_out_novelty
from .class_count import ClassCount, class_count_interval
from .discoverer import Discoverer, Discovery

NEARER = 0.75
"""How near, beside the nearest known task, another of its group must be for a task to join a new skill."""

SPARE = 1.5
"""Groups a new kind that is estimated, where some kinds are known and tasks are enough for so many. Chosen, with no spare groups where
nothing is known, on three draws of 20 and 35 classes of BANKING77's training texts."""


def sort_unknown(discoverer: Discoverer, vectors: Vector, known: Vector, labels: Labels, least: int) -> tuple[Discovery, ClassCount]:
    """What a discoverer makes of unknown vectors `(n, d)`, which come first among the rows that it sorts; and how many kinds there are.

    `known` `(m, d)` are known tasks of classes `(m,)`; `least` is the fewest tasks that make a skill.
    """
    # The number of classes is estimated from how often known ones occur, so half of the known tasks go among the unknown ones unnamed.
    shown = _every_other(labels)
    pool = np.vstack([vectors, known[~shown]])
    kinds = class_count_interval(pool, known[shown], labels[shown])
    found = discoverer.discover(pool, known[shown], labels[shown], kinds.count)
    if not found.known:  # then the estimate is rather too large
        return found, kinds
    # Unknown tasks belong to new classes already: too many groups can be given one name, and a kind that has none cannot be asked about.
    fewest = found.known + min(len(vectors) // (2 * least), round(SPARE * (kinds.count - found.known)))
    return (found if found.count >= fewest else discoverer.discover(pool, known[shown], labels[shown], fewest)), kinds


def coherent_groups(found: Discovery, vectors: Vector, known: Vector, least: int) -> list[list[int]]:
    """Rows of every new group that holds together, largest group first."""
    distances = 1 - (vectors @ known.T).max(1, initial=0.0)
    groups: list[list[int]] = []
    for label in range(found.known, found.count):
        rows = np.flatnonzero(found.labels[: len(vectors)] == label)
        if len(rows) > 1:
            near = rows[leave_one_out_novelty(vectors[rows]) <= NEARER * distances[rows]]
            groups += [near.tolist()] if len(near) >= least else []
    return sorted(groups, key=lambda group: (-len(group), group))


def _every_other(labels: Labels) -> NDArray[np.bool_]:
    """The first, third, ... row of every class."""
    shown = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        shown[np.flatnonzero(labels == label)[::2]] = True
    return shown
