from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.checks.scorer import example_samples
from lifelong.perception import (
    ClassMeanNovelty,
    MahalanobisNovelty,
    NearestNeighbourNovelty,
    RelativeMahalanobisNovelty,
)

NO_LOGITS = np.zeros((2, 0), dtype=np.float32)
INCREMENTAL = [ClassMeanNovelty, MahalanobisNovelty, RelativeMahalanobisNovelty, NearestNeighbourNovelty]

# Two classes around (0, 0) and (4, 0); around the means the variance is 1 on the first axis and 4 on the second.
CROSS = np.array([[1, 0], [-1, 0], [0, 2], [0, -2]], dtype=np.float32) * np.sqrt(2).astype(np.float32)
VECTORS = np.concatenate([CROSS, CROSS + np.array([4, 0], dtype=np.float32)])
LABELS = np.array([0] * 4 + [1] * 4)


def test_mahalanobis_golden() -> None:
    # From (4, 0): (2 / 1)^2 + (2 / 2)^2 = 5, and from the mean of all, (2, 0): 16 / 5 + 4 / 4 = 4.2.
    point = np.array([[6, 2]], dtype=np.float32)
    assert MahalanobisNovelty().fit(VECTORS, NO_LOGITS, LABELS).score(point, NO_LOGITS) == pytest.approx([5], rel=1e-4)
    assert RelativeMahalanobisNovelty().fit(VECTORS, NO_LOGITS, LABELS).score(point, NO_LOGITS) == pytest.approx([0.8], rel=1e-3)


def test_class_mean_golden() -> None:
    vectors, labels = np.array([[2, 0], [0, 1], [0, 3]], dtype=np.float32), np.array([7, 3, 3])
    scores = ClassMeanNovelty().fit(vectors, NO_LOGITS, labels).score(np.array([[0, 5], [3, 4], [-1, 0]], dtype=np.float32), NO_LOGITS)
    np.testing.assert_allclose(scores, [0, 0.2, 1], atol=1e-6)


@pytest.mark.parametrize("member", INCREMENTAL)
def test_learning_part_by_part_is_learning_at_once(member: type[MahalanobisNovelty]) -> None:
    vectors, logits, labels = example_samples(0)
    fresh = example_samples(1)[0]
    parts = member()
    for label in (2, 0, 1):
        parts.learn(vectors[labels == label], labels[labels == label])
    np.testing.assert_allclose(parts.score(fresh, logits), member().fit(vectors, logits, labels).score(fresh, logits), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("member", INCREMENTAL)
@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(1, 30), st.booleans())
def test_learning_then_forgetting_changes_nothing(member: type[MahalanobisNovelty], seed: int, count: int, fresh_class: bool) -> None:
    vectors, logits, labels = example_samples(0)
    more, _, others = example_samples(seed + 10, count)
    others = others + 5 if fresh_class else others
    scorer = member().fit(vectors, logits, labels)
    before = scorer.score(vectors, logits)
    scorer.learn(more, others)
    scorer.forget(more, others)
    np.testing.assert_allclose(scorer.score(vectors, logits), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("member", INCREMENTAL)
def test_what_was_never_learned_cannot_be_forgotten(member: type[MahalanobisNovelty]) -> None:
    vectors, logits, labels = example_samples(0)
    scorer = member().fit(vectors, logits, labels)
    before = scorer.score(vectors, logits)
    with pytest.raises(ValueError, match="forget only what was learned"):
        scorer.forget(-vectors[:1], labels[:1] + 40)
    np.testing.assert_array_equal(scorer.score(vectors, logits), before)
    scorer.forget(vectors, labels)
    with pytest.raises(ValueError, match="call `fit` first"):
        scorer.score(vectors, logits)


def test_a_direction_without_variance_is_strange_and_finite() -> None:
    flat = np.array([[1, 0, 0], [2, 0, 0], [1, 1, 0], [2, 1, 0]], dtype=np.float32)
    scorer = MahalanobisNovelty().fit(flat, NO_LOGITS, np.zeros(4, dtype=np.int64))
    inside, outside = scorer.score(np.array([[1.5, 0.5, 0], [1.5, 0.5, 1]], dtype=np.float32), NO_LOGITS)
    assert inside == pytest.approx(0, abs=1e-3)
    assert 1e3 < outside < np.inf
