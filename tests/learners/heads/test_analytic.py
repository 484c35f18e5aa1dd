"""What closed-form heads share: shrinkage, the discriminant, and exact updates in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import NearestMeanHead, RidgeHead, StreamingLDAHead
from lifelong.learners.heads.analytic import discriminant, shrunk
from lifelong.numerics.class_statistics import ClassStatistics


def test_shrinkage_by_hand() -> None:
    covariance = np.array([[3.0, 1.0], [1.0, 1.0]])
    assert shrunk(covariance, 0.5).tolist() == [[2.5, 0.5], [0.5, 1.5]]
    assert shrunk(covariance, 0.0).tolist() == covariance.tolist()
    assert shrunk(covariance, 1.0).tolist() == [[2, 0], [0, 2]]
    assert shrunk(np.zeros((2, 2)), 0.5).tolist() == [[1, 0], [0, 1]], "no variance at all: every direction counts alike"
    assert shrunk(1e-15 * covariance, 0.5, floor=1e-12).tolist() == [[1, 0], [0, 1]]


@given(st.integers(0, 2**31), st.floats(0.01, 1))
def test_what_is_shrunk_can_be_inverted_and_keeps_its_trace(seed: int, share: float) -> None:
    rows = np.random.default_rng(seed).normal(size=(2, 5))
    covariance = rows.T @ rows
    result = shrunk(covariance, share)
    assert np.linalg.eigvalsh(result).min() > 0
    assert np.trace(result) == pytest.approx(np.trace(covariance))


def test_the_discriminant_of_round_classes_is_the_nearest_mean() -> None:
    draw = np.random.default_rng(0)
    labels = np.arange(300) % 3
    rows = (3 * np.eye(3, 4)[labels] + draw.normal(size=(300, 4))).astype(np.float32)
    moments = ClassStatistics.from_samples(rows, labels)
    asked = (3 * draw.normal(size=(200, 4))).astype(np.float64)
    chosen = discriminant(moments, moments.within(), 1.0)(asked).argmax(1)
    distances = np.linalg.norm(asked[:, None] - moments.means, axis=2)
    assert np.array_equal(chosen, distances.argmin(1))


@pytest.mark.parametrize("make", [NearestMeanHead, StreamingLDAHead, RidgeHead])
@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), cut=st.integers(1, 29))
def test_the_order_and_the_batches_do_not_matter(make: type[RidgeHead], seed: int, cut: int) -> None:
    draw = np.random.default_rng(seed)
    rows, labels = draw.normal(size=(30, 4)).astype(np.float32), np.arange(30) % 3
    order = draw.permutation(30)
    whole, parts = make(), make()
    whole.learn(rows, labels)
    for some in (order[:cut], order[cut:]):
        parts.learn(rows[some], labels[some])
    assert np.allclose(whole.logits(rows), parts.logits(rows), atol=1e-6)


def test_a_head_that_knows_nothing_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="NearestMeanHead knows no class yet; call `learn` first"):
        NearestMeanHead().predict(np.zeros((1, 3), dtype=np.float32))
