"""RanPAC: the error that picks its penalty, and which samples it can forget."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.checks.scorer import example_samples
from lifelong.learners import (
    RanPACHead,
    UnlearningHead,
)
from lifelong.learners.heads.ranpac import held_out_error


def test_held_out_error_is_that_of_the_samples() -> None:
    draw = np.random.default_rng(0)
    rows, targets = draw.normal(size=(30, 4)), np.eye(3)[draw.integers(0, 3, 30)]
    held, held_targets = draw.normal(size=(9, 4)), np.eye(3)[draw.integers(0, 3, 9)]
    weights = np.linalg.solve(rows.T @ rows + 2 * np.eye(4), rows.T @ targets)
    direct = np.sum((held @ weights - held_targets) ** 2)
    moments = held_out_error(rows.T @ rows, targets.T @ rows, held.T @ held, held_targets.T @ held, 2.0)
    assert moments + len(held) == pytest.approx(direct)


def test_ranpac_refuses_a_sample_of_the_other_part() -> None:
    vectors, _, labels = example_samples(0)
    head = RanPACHead(features=20)
    head.learn(vectors[:1], labels[:1])
    other = next(row for row in vectors[1:] if _refused(head, row[None], labels[:1]))
    assert other is not None
    assert np.array_equal(head.labels, labels[:1])


def _refused(head: UnlearningHead, vectors: np.ndarray, labels: np.ndarray) -> bool:
    try:
        head.unlearn(vectors, labels)
    except ValueError:
        return True
    head.learn(vectors, labels)
    return False
