"""What answers are worth: accuracy on new classes after every hundred questions, for each way to choose the questions.

All strategies begin from one discovery and learn from their answers in the same way; a quarter of the classes is known and the number
of classes is estimated. Measured on the official test split, whose rows go to the nearest class.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ....metrics.clustering import clustering_figures
from ....perception import (
    BadgeQuery,
    EntropyQuery,
    KCentreQuery,
    MarginQuery,
    NovelMarginQuery,
    ProtoGCD,
    QueryStrategy,
    RandomQuery,
    active_discovery,
)
from ...data.partly_known import PartlyKnown, partly_known
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import banking77, clinc150
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

KNOWN = 0.25
"""Share of the classes that is known."""
ROUNDS, QUESTIONS = 3, 100
QUICK_CLASSES, QUICK_ROUNDS, QUICK_QUESTIONS = 20, 1, 20
STRATEGIES: Mapping[str, QueryStrategy] = {
    "lifelong": NovelMarginQuery(),
    "random": RandomQuery(),
    "margin": MarginQuery(),
    "entropy": EntropyQuery(),
    "k_centre": KCentreQuery(),
    "badge": BadgeQuery(),
}


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets, each seed another draw of classes; quick: 20 classes of one and one round of 20 questions."""
    rows: list[Row] = []
    if not only.wants_any(STRATEGIES):
        return rows
    for name, load in (("banking77", banking77),) if quick else (("banking77", banking77), ("clinc150", clinc150)):
        problems = [partly_known(load(data), KNOWN, seed, QUICK_CLASSES if quick else None) for seed in range(seeds)]
        new = int((problems[0].test_labels >= problems[0].known).sum())
        rounds, questions = (QUICK_ROUNDS, QUICK_QUESTIONS) if quick else (ROUNDS, QUESTIONS)
        rows += seeded_rows(
            f"{name}, questions, {KNOWN:.0%} known",
            lambda seed, problems=problems, rounds=rounds, questions=questions: measure(problems[seed], seed, rounds, questions, only),  # type: ignore[misc]
            seeds,
            n=new,
            only=only,
        )
    return rows


def measure(problem: PartlyKnown, seed: int, rounds: int, questions: int, only: RowFilter = ALL_ROWS) -> Metrics:
    """All wanted strategies on one draw of classes."""
    start = ProtoGCD(seed=seed).discover(problem.vectors, problem.known_vectors, problem.known_labels)
    figures: dict[tuple[str, str], float] = {}
    means: dict[str, float] = {}
    wanted = {method: strategy for method, strategy in STRATEGIES.items() if only.wants_method(method)}
    for method, strategy in wanted.items():
        accuracies = []
        for state in active_discovery(
            problem.vectors,
            problem.known_vectors,
            problem.known_labels,
            lambda places: problem.labels[places],
            strategy,
            rounds=rounds,
            questions=questions,
            seed=seed,
            start=start,
        ):
            placed = clustering_figures(state.discovery.place(problem.test_vectors), problem.test_labels, problem.known)
            figures[method, f"new_class_accuracy_after_{len(state.asked)}"] = placed["new_class_accuracy"]
            accuracies.append(placed["new_class_accuracy"])
        gains = np.diff(accuracies)
        means[method] = float(np.mean(accuracies[1:]))
        figures[method, "new_class_accuracy_mean_over_rounds"] = means[method]
        figures[method, f"new_class_accuracy_gained_per_{questions}_questions"] = float(np.mean(gains))
    for method in (method for method in wanted if method != "lifelong" and "lifelong" in wanted):
        figures["lifelong", f"new_class_accuracy_mean_gain_over_{method}"] = means["lifelong"] - means[method]
    return figures
