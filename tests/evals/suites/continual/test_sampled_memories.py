"""Memories of samples at a budget of bytes."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.texts import Texts
from lifelong.evals.suites.continual.sampled_memories import (
    GaussianMemory,
    RawMemory,
    eight_bits,
    leading,
    whole,
)


def made(classes: int, each: int, seed: int = 0, d: int = 16) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(d)[labels] + 0.1 * draw.normal(size=(len(labels), d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(map(str, range(len(labels)))), labels=labels, vectors=vectors.astype(np.float32))


def test_eight_bits_are_close() -> None:
    rows = made(4, 5).vectors
    codes, scales = eight_bits(rows)
    assert np.abs(whole(codes, scales) - rows).max() <= np.abs(rows).max() / 127
    assert codes.itemsize == 1


def test_leading_directions_golden() -> None:
    # By hand: variances 4, 1, 1 along the axes.
    directions, variances, rest = leading(np.diag([1.0, 4.0, 1.0]), 1)
    np.testing.assert_allclose(np.abs(directions[:, 0]), [0, 1, 0], atol=1e-6)
    assert (variances.tolist(), rest) == ([4.0], 1.0)


def test_raw_samples_are_as_many_as_were_asked_for_and_counted() -> None:
    train = made(4, 12)
    memory = RawMemory(per_class=3)
    for low in (0, 2):
        part = (train.labels >= low) & (train.labels < low + 2)
        memory.remember(train.vectors[part], train.labels[part])
    rows, labels = memory.recall()
    assert np.bincount(labels).tolist() == [3] * 4
    assert min(np.abs(train.vectors - row).max(1).min() for row in rows) < 0.01
    assert memory.bytes == 4 * (3 * (16 + 2) + 8)


def test_gaussians_have_the_moments_of_the_samples_and_are_counted() -> None:
    train = made(3, 400)
    memory = GaussianMemory(shared=4, own=2, draws=2000)
    for label in range(3):
        memory.remember(train.vectors[train.labels == label], train.labels[train.labels == label])
    rows, labels = memory.recall()
    for label in range(3):
        drawn, true = rows[labels == label], train.vectors[train.labels == label]
        np.testing.assert_allclose(drawn.mean(0), true.mean(0), atol=0.02)
        assert np.trace(np.cov(drawn.T)) == pytest.approx(np.trace(np.cov(true.T)), rel=0.15)
    # By hand: 3 means of 16 + 2 bytes and a number of 8, 2 directions of 16 + 4 each; 4 shared ones and the rest's variance.
    assert memory.bytes == 3 * (18 + 8 + 2 * 20) + 4 * 20 + 4
