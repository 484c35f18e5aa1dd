"""Discovery where nothing is known yet, as it runs asleep: a few groups are asked about first, and each answer tells more.

`lifelong` is what is found before anybody is asked, `lifelong_after_N_answers` what is found after N: an answer is the class of most of
the three texts that stand at a group's centre, and all of the group are filed under it, rightly or not. Groups of the same answer are
one class. The baselines are never asked; one of them is given the true number of classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....core import Settings
from ....metrics.clustering import clustering_figures
from ....numerics.arrays import Labels, Vector
from ....orchestrator.discover import FIRST_QUESTIONS
from ....orchestrator.skills import CENTRE
from ....perception import Discoverer, Discovery, ProtoGCD, SphericalKMeans, coherent_groups, sort_unknown
from ...data.partly_known import PartlyKnown, partly_known
from ...data.seeded import Metrics
from ...data.texts import TextData
from ...row_filter import RowFilter

LOOKS = 2
"""Times that it is asked: first about the largest groups, then about as many as may be open at once."""


def measure(texts: TextData, classes: int | None, only: RowFilter, seed: int) -> Metrics:
    """All methods on the unlabelled training texts; accuracy on the test texts, each placed in the nearest class found."""
    problem = partly_known(texts, 0.0, seed, classes)
    figures: dict[tuple[str, str], float] = {}
    counts: list[int] = []
    for answers, found, count in looks(problem, seed):
        method = f"lifelong_after_{answers}_answers" if answers else "lifelong"
        placed = clustering_figures(found.place(problem.test_vectors), problem.test_labels, 0)
        figures |= {(method, metric): placed[metric] for metric in ("accuracy", "adjusted_rand_index")}
        figures |= {(method, "class_count"): float(count), (method, "class_count_relative_error"): abs(count / problem.count - 1)}
        counts.append(count)
    for method, count in (("kmeans_count_given", problem.count), ("kmeans", counts[0])):
        if only.wants_method(method):
            found = SphericalKMeans(seed=seed).discover(problem.vectors, problem.known_vectors, problem.known_labels, count)
            placed = clustering_figures(found.place(problem.test_vectors), problem.test_labels, 0)
            figures |= {(method, metric): placed[metric] for metric in ("accuracy", "adjusted_rand_index")}
    return figures


def looks(problem: PartlyKnown, seed: int, discoverer: Discoverer | None = None) -> list[tuple[int, Discovery, int]]:
    """Answers given so far, what is found with them, and how many classes there are said to be; once before any answer."""
    names = np.full(len(problem.vectors), -1)
    settings, found_so_far, asked = Settings().sleep, [], 0
    for look in range(LOOKS + 1):
        known, labels = _known(problem.vectors, names)
        waiting = np.flatnonzero(names < 0)
        found, kinds = sort_unknown(discoverer or ProtoGCD(seed=seed), problem.vectors[waiting], known, labels, settings.min_episodes)
        found_so_far.append((asked, found, kinds.count))
        groups = coherent_groups(found, problem.vectors[waiting], known, settings.min_episodes)
        for group in groups[: settings.open_questions if look else FIRST_QUESTIONS]:
            names[waiting[group]] = _answer(problem, waiting[group])
            asked += 1
    return found_so_far


def _known(vectors: Vector, names: NDArray[np.int64]) -> tuple[Vector, Labels]:
    """The rows that have a name, and their classes `0 .. k - 1`."""
    rows = np.flatnonzero(names >= 0)
    return vectors[rows], np.asarray(np.unique(names[rows], return_inverse=True)[1], dtype=np.int64)


def _answer(problem: PartlyKnown, group: NDArray[np.int64]) -> int:
    """The class that a person names who sees the texts at a group's centre."""
    rows = problem.vectors[group]
    central = group[np.argsort(-(rows @ rows.mean(0)), kind="stable")[:CENTRE]]
    return int(np.bincount(problem.labels[central]).argmax())
