"""Category discovery on frozen sentence vectors: how many classes there are, and which row belongs to which.

Learned on the training split, measured on the official test split, whose rows go to the nearest class. The baselines are given
the true number of classes, and are run a second time with the estimate that ours has to live with.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ....metrics.clustering import clustering_figures
from ....perception import Discoverer, ProtoGCD, SemiSupervisedKMeans, SphericalKMeans, estimate_class_count
from ....perception.discovery.class_count import prototype_score
from ...data.partly_known import PartlyKnown, partly_known
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import TextData, banking77, clinc150
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from . import nothing_known

KNOWN_SHARES = (0.25, 0.75)
"""Of the classes that are known."""
QUICK_CLASSES = 20
GRID = 1.25
"""Factor between the counts among which the prototype score chooses."""
PATIENCE = 2
"""It stops at this many times the best count so far."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every data set at every share of known classes, each seed another draw of classes; quick: 20 classes of one data set."""
    rows: list[Row] = []
    for name, load in (("banking77", banking77),) if quick else (("banking77", banking77), ("clinc150", clinc150)):
        texts = load(data)
        classes = QUICK_CLASSES if quick else None
        for share in KNOWN_SHARES:
            tested = len(partly_known(texts, share, 0, classes).test_labels)
            rows += seeded_rows(
                f"{name}, discovery, {share:.0%} known", partial(_partly_known, texts, share, classes, only), seeds, n=tested, only=only
            )
        rows += seeded_rows(
            f"{name}, discovery, nothing known", partial(nothing_known.measure, texts, classes, only), seeds, n=len(texts.test), only=only
        )
    return rows


def _partly_known(texts: TextData, share: float, classes: int | None, only: RowFilter, seed: int) -> Metrics:
    return measure(partly_known(texts, share, seed, classes), seed, only)


def measure(problem: PartlyKnown, seed: int, only: RowFilter = ALL_ROWS) -> Metrics:
    """All wanted methods on one draw of classes, and how they compare where both are."""
    estimate = estimate_class_count(problem.vectors, problem.known_vectors, problem.known_labels, seed=seed)
    members: Mapping[str, tuple[Discoverer, int]] = {
        "lifelong": (ProtoGCD(seed=seed), estimate),
        "kmeans_count_given": (SphericalKMeans(seed=seed), problem.count),
        "kmeans": (SphericalKMeans(seed=seed), estimate),
        "gcd_count_given": (SemiSupervisedKMeans(seed=seed), problem.count),
        "gcd": (SemiSupervisedKMeans(seed=seed), estimate),
    }
    figures: dict[tuple[str, str], float] = {}
    members = {method: member for method, member in members.items() if only.wants_method(method)}
    for method, (member, count) in members.items():
        discovery = member.discover(problem.vectors, problem.known_vectors, problem.known_labels, count)
        placed = clustering_figures(discovery.place(problem.test_vectors), problem.test_labels, problem.known)
        figures |= {(method, metric): value for metric, value in placed.items()}
    for method in members:
        if method != "lifelong" and "lifelong" in members:
            figures["lifelong", f"accuracy_gain_over_{method}"] = figures["lifelong", "accuracy"] - figures[method, "accuracy"]
    counts = {"lifelong": lambda: estimate, "prototype_score": lambda: count_by_prototype_score(problem, seed)}
    for method, count in ((method, counts[method]()) for method in counts if only.wants_method(method)):
        figures[method, "class_count"] = float(count)
        figures[method, "class_count_relative_error"] = abs(count / problem.count - 1)
    return figures


def count_by_prototype_score(problem: PartlyKnown, seed: int) -> int:
    """The number of classes with the best prototype score: half of the labelled rows are pinned, the other half held out."""
    half = np.random.default_rng(seed).permutation(len(problem.known_labels)) % 2 == 0
    # Every known class keeps a pinned row.
    half[np.unique(problem.known_labels, return_index=True)[1]] = True
    held_out, held_out_labels = problem.known_vectors[~half], problem.known_labels[~half]
    best, highest, count = problem.known, -np.inf, problem.known + 1
    while count <= PATIENCE * best:
        member = SemiSupervisedKMeans(restarts=1, seed=seed)
        discovery = member.discover(np.vstack([held_out, problem.vectors]), problem.known_vectors[half], problem.known_labels[half], count)
        score = prototype_score(discovery.labels, problem.vectors, held_out, held_out_labels, problem.known)
        if score > highest:
            best, highest = count, score
        count = round(count * GRID)
    return best
