from __future__ import annotations

import numpy as np
import pytest

from lifelong.learners import CueHead
from lifelong.learners.experimental.heads.kernel_ridge import kernel_ridge


def groups(classes: int, each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + 0.1 * draw.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


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


@pytest.mark.slow
def test_a_forgotten_class_is_no_answer_and_leaves_the_head_as_if_it_had_never_been() -> None:
    vectors, labels = groups(6, 12)
    head, never = CueHead(hidden=16, epochs=1), CueHead(hidden=16, epochs=1)
    for one in (head, never):
        one.learn(vectors[labels < 4], labels[labels < 4])
    assert not head.fitted
    head.learn(vectors[labels == 5], labels[labels == 5])
    assert 5 in head.predict(vectors)
    assert head.fitted
    head.forget_class(5)
    assert not head.fitted
    assert head.labels.tolist() == [0, 1, 2, 3]
    assert np.array_equal(head.logits(vectors), never.logits(vectors))
    with pytest.raises(ValueError, match="never remembered"):
        head.forget_class(5)


@pytest.mark.slow
def test_of_too_many_samples_some_are_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifelong.learners.experimental.heads.cue_head.MOST_SOLVED", 20)
    vectors, labels = groups(4, 12)
    head = CueHead(hidden=16, epochs=1)
    head.learn(vectors, labels)
    assert np.mean(head.predict(groups(4, 12, seed=1)[0]) == labels) > 0.9
