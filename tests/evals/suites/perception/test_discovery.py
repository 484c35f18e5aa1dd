"""Discovery: every method on one draw of classes, and the count by prototype score."""

from __future__ import annotations

import numpy as np
import pytest
from made.open_set_texts import made

from lifelong.evals.data.partly_known import PartlyKnown
from lifelong.evals.suites.perception import discovery as module


@pytest.fixture(scope="module")
def problem() -> PartlyKnown:
    """Eight clear classes, four of them known by a few rows."""
    train, test = made(160, False, 0), made(40, False, 1)
    labelled = (train.labels < 4) & (np.arange(160) < 64)
    return PartlyKnown(
        known_vectors=train.vectors[labelled],
        known_labels=train.labels[labelled],
        vectors=train.vectors[~labelled],
        labels=train.labels[~labelled],
        test_vectors=test.vectors,
        test_labels=test.labels,
        known=4,
        count=8,
    )


def test_every_method_has_every_figure_and_gains_are_differences(problem: PartlyKnown) -> None:
    figures = module.measure(problem, 0)
    methods = ("lifelong", "kmeans_count_given", "kmeans", "gcd_count_given", "gcd")
    for method in methods:
        assert figures[method, "accuracy"] > 0.9, "clear classes are found by all"
    for method in methods[1:]:
        gain = figures["lifelong", f"accuracy_gain_over_{method}"]
        assert gain == pytest.approx(figures["lifelong", "accuracy"] - figures[method, "accuracy"])
    count = figures["lifelong", "class_count"]
    assert 6 <= count <= 10
    assert figures["lifelong", "class_count_relative_error"] == pytest.approx(abs(count / 8 - 1))


def test_the_prototype_score_finds_about_as_many_and_no_fewer_than_are_known(problem: PartlyKnown) -> None:
    count = module.count_by_prototype_score(problem, 0)
    assert problem.known <= count <= 2 * problem.count
    assert count == module.count_by_prototype_score(problem, 0)
