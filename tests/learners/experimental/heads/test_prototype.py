"""The prototype head: soft assignments, and what unlabelled samples are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import UNLABELLED, PrototypeHead
from lifelong.learners.experimental.heads.prototype import soft_assignments


def groups(classes: int, each: int, seed: int = 0, spread: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + spread * draw.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_soft_assignments_golden() -> None:
    # By hand: squared distances 1 and 4, sharpness 1: exp(-1) against exp(-4).
    chances = soft_assignments(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0], [3.0, 0.0]]), 1.0)
    np.testing.assert_allclose(chances, [[1 / (1 + np.exp(-3)), 1 / (1 + np.exp(3))]])


def test_unlabelled_samples_help_where_labels_are_few() -> None:
    vectors, labels = groups(8, 40, spread=0.3)
    few = np.where(np.arange(len(labels)) % 40 == 0, labels, UNLABELLED)
    fresh, truth = groups(8, 40, seed=1, spread=0.3)
    alone, helped = PrototypeHead(epochs=2), PrototypeHead(epochs=2)
    alone.learn(vectors[few != UNLABELLED], few[few != UNLABELLED])
    helped.learn(vectors, few)
    assert np.mean(helped.predict(fresh) == truth) > np.mean(alone.predict(fresh) == truth) + 0.05
    with pytest.raises(ValueError, match="label at least one"):
        PrototypeHead().learn(vectors, np.full(len(labels), UNLABELLED))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), sharpness=st.floats(0.1, 50))
def test_chances_sum_to_one(seed: int, sharpness: float) -> None:
    draw = np.random.default_rng(seed)
    chances = soft_assignments(draw.normal(size=(5, 3)), draw.normal(size=(4, 3)), sharpness)
    np.testing.assert_allclose(chances.sum(1), 1)
