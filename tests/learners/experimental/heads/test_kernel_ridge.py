"""Kernel ridge regression: by hand, and every class counts alike."""

from __future__ import annotations

import numpy as np

from lifelong.learners.experimental.heads.kernel_ridge import kernel_ridge


def test_kernel_ridge_golden() -> None:
    # By hand: orthogonal unit vectors are sqrt(2) apart, so their kernel is e = exp(-2); K + 0.1 I = [[1.1, e], [e, 1.1]] has the
    # inverse [[1.1, -e], [-e, 1.1]] / (1.21 - e^2), and the first sample the scores (1.1 - e^2, 0.1 e) / (1.21 - e^2).
    rows = np.eye(2, dtype=np.float32)
    chances = kernel_ridge(rows, np.array([0, 1]), np.ones(2, np.float32), gamma=1.0, regularisation=0.1, sharpness=2.0)
    e = np.exp(-2)
    scores = np.array([1.1 - e**2, 0.1 * e]) / (1.21 - e**2)
    np.testing.assert_allclose(chances(rows[:1]), [np.exp(2 * scores) / np.exp(2 * scores).sum()], atol=1e-6)
    assert chances(rows[:0]).shape == (0, 2)


def test_classes_count_alike_in_kernel_ridge() -> None:
    # A class of one sample and one of thirty at equal distances: the sample in the middle belongs to neither more.
    rows = np.concatenate([np.eye(2)[:1], np.repeat(np.eye(2)[1:], 30, axis=0)]).astype(np.float32)
    targets = np.array([0] + [1] * 30)
    weights = np.array([31 / 2, 31 / 60], np.float32)
    middle = np.full((1, 2), 0.5**0.5, np.float32)
    chances = kernel_ridge(rows, targets, weights, gamma=1.0, regularisation=0.1, sharpness=1.0)(middle)
    np.testing.assert_allclose(chances, [[0.5, 0.5]], atol=0.01)
