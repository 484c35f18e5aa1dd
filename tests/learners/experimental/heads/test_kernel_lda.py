"""Linear discriminant analysis in random Fourier features."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.learners import KernelLDAHead, NearestMeanHead


def test_features_have_the_kernels_inner_products() -> None:
    head = KernelLDAHead(features=1_000, gamma=0.7, seed=0)
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(6, 3)).astype(np.float32)
    head.learn(rows, np.arange(6) % 2)
    features = head._features(rows)
    squares = ((rows[:, None] - rows) ** 2).sum(2)
    # The error of each product falls with the square root of the number of features.
    assert np.allclose(features @ features.T, np.exp(-0.7 * squares), atol=5 / np.sqrt(1_000))


def test_a_ring_around_a_class_is_learned_where_means_fail() -> None:
    draw = np.random.default_rng(1)
    angles, labels = draw.uniform(0, 2 * np.pi, 400), np.arange(400) % 2
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.where(labels == 1, 2.0, 0.3)[:, None]
    rows = (rows + 0.05 * draw.normal(size=rows.shape)).astype(np.float32)
    kernel, means = KernelLDAHead(features=300), NearestMeanHead()
    for head in (kernel, means):
        head.learn(rows[:200], labels[:200])
    assert (kernel.predict(rows[200:]) == labels[200:]).mean() > 0.98
    assert (means.predict(rows[200:]) == labels[200:]).mean() < 0.7


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_alone_decides(seed: int) -> None:
    rows, labels = np.random.default_rng(2).normal(size=(20, 3)).astype(np.float32), np.arange(20) % 2
    one, same, other = (KernelLDAHead(features=50, seed=number) for number in (seed, seed, seed + 1))
    for head in (one, same, other):
        head.learn(rows, labels)
    assert np.array_equal(one.logits(rows), same.logits(rows))
    assert not np.array_equal(one.logits(rows), other.logits(rows))
