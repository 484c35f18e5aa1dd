"""Gaussians of classes that follow a drifting encoder."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners.experimental.images.class_gaussians import ClassGaussians, drift


def gaussians(seed: int, classes: int = 3, each: int = 12) -> tuple[ClassGaussians, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    rows = draw.normal(size=(len(labels), 4)) + 3 * labels[:, None]
    kept = ClassGaussians()
    kept.learn(rows, labels)
    return kept, rows, labels


def test_gaussians_are_those_of_the_samples() -> None:
    kept, rows, labels = gaussians(0)
    np.testing.assert_allclose(kept.means[1], rows[labels == 1].mean(0))
    np.testing.assert_allclose(kept.covariance(1), np.cov(rows[labels == 1].T))
    np.testing.assert_allclose(kept.within(), np.mean([np.cov(rows[labels == one].T) for one in range(3)], axis=0))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), cut=st.integers(1, 11))
def test_a_class_learned_in_parts_is_the_same(seed: int, cut: int) -> None:
    whole, rows, labels = gaussians(seed, classes=1)
    parts = ClassGaussians()
    for some in (slice(None, cut), slice(cut, None)):
        parts.learn(rows[some], labels[some])
    np.testing.assert_allclose(parts.means, whole.means)
    np.testing.assert_allclose(parts.covariance(0), whole.covariance(0), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_moving_gaussians_is_moving_their_samples(seed: int) -> None:
    kept, rows, labels = gaussians(seed)
    draw = np.random.default_rng(seed)
    matrix, offset = draw.normal(size=(4, 4)), draw.normal(size=4)
    again = ClassGaussians()
    again.learn(rows @ matrix + offset, labels)
    moved = kept.moved(matrix, offset)
    np.testing.assert_allclose(moved.means, again.means, atol=1e-9)
    np.testing.assert_allclose(moved.covariance(2), again.covariance(2), atol=1e-9)
    assert np.array_equal(kept.means, gaussians(seed)[0].means), "the old ones stay as they are"


def test_few_directions_keep_the_most() -> None:
    kept = ClassGaussians(rank=1)
    kept.learn(np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]]), np.zeros(4))
    np.testing.assert_allclose(kept.covariance(0), [[6, 0], [0, 0]], atol=1e-12)


def test_drift_golden_and_no_drift_is_the_identity() -> None:
    # By hand, r = 1: rows -1 and 1, moved by -2 and 4: mean move 1, slope 6 / (2 + 1) = 2, so x goes to 3 x + 1.
    matrix, offset = drift(np.array([[-1], [1]], dtype=np.float32), np.array([[-3], [5]], dtype=np.float32))
    np.testing.assert_allclose([matrix.item(), offset.item()], [3, 1])
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    matrix, offset = drift(rows, rows)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(offset, 0, atol=1e-12)


def test_draws_are_unit_rows_around_their_means() -> None:
    kept, _, _ = gaussians(0)
    rows, labels = kept.draws(200, 0)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert np.bincount(labels).tolist() == [200] * 3
    assert rows[labels == 2].mean(0) @ kept.means[2] > rows[labels == 0].mean(0) @ kept.means[2]
