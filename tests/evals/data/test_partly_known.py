from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lifelong.evals.data.partly_known import partly_known
from lifelong.evals.data.texts import TextData, Texts
from lifelong.evals.suites.perception import discovery as perception_discovery
from lifelong.evals.suites.perception import queries as perception_queries

DATA = os.environ.get("LIFELONG_DATA")


def made(train: int, test: int, classes: int = 8) -> TextData:
    def part(each: int, seed: int) -> Texts:
        labels = np.repeat(np.arange(classes), each)
        rows = np.eye(classes)[labels] + 0.01 * np.random.default_rng(seed).normal(size=(len(labels), classes))
        return Texts(texts=tuple(f"text {row}" for row in range(len(labels))), labels=labels, vectors=rows.astype(np.float32))

    empty = part(1, 2).subset(np.zeros(classes, dtype=bool))
    return TextData(
        names=tuple(f"class {number}" for number in range(classes)),
        train=part(train, 0),
        validation=empty,
        test=part(test, 1),
        outliers_train=empty,
        outliers_validation=empty,
        outliers_test=empty,
        sentences=empty,
    )


def test_a_tenth_of_the_known_classes_is_labelled() -> None:
    problem = partly_known(made(20, 5), 0.25, 3)
    assert (problem.known, problem.count) == (2, 8)
    assert np.bincount(problem.known_labels).tolist() == [2, 2]
    assert np.bincount(problem.labels).tolist() == [18, 18, 20, 20, 20, 20, 20, 20]
    assert np.bincount(problem.test_labels).tolist() == [5] * 8
    # The numbers are the same in all three parts.
    groups = [
        problem.known_vectors[problem.known_labels == 1],
        problem.vectors[problem.labels == 1],
        problem.test_vectors[problem.test_labels == 1],
    ]
    assert len({int(rows.mean(0).argmax()) for rows in groups}) == 1
    other = partly_known(made(20, 5), 0.25, 4)
    assert not np.array_equal(other.known_vectors, problem.known_vectors)


def test_fewer_classes_may_be_taken() -> None:
    problem = partly_known(made(20, 5), 0.5, 0, classes=4)
    assert (problem.known, problem.count, len(problem.test_labels)) == (2, 4, 20)


def test_a_draw_is_measured_with_all_methods() -> None:
    figures = perception_discovery.measure(partly_known(made(20, 5), 0.5, 0), 0)
    methods = {method for method, metric in figures if metric == "accuracy"}
    assert methods == {"lifelong", "kmeans", "kmeans_count_given", "gcd", "gcd_count_given"}
    assert figures["lifelong", "accuracy"] - figures["gcd", "accuracy"] == pytest.approx(figures["lifelong", "accuracy_gain_over_gcd"])


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.skipif(DATA is None, reason="LIFELONG_DATA names no data directory")
@pytest.mark.parametrize("module", [perception_discovery, perception_queries])
def test_the_quick_runs_show_every_method(module: object) -> None:
    rows = module.run(quick=True, seeds=1, data=Path(str(DATA)))  # type: ignore[attr-defined]
    assert {"lifelong"} < {row.method for row in rows}
    assert all(np.isfinite(row.value) for row in rows)
