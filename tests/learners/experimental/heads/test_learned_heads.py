from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import UNLABELLED, ParetoHead, PrototypeAugmentationHead, PrototypeHead, ReplayHead
from lifelong.learners.experimental.heads.augmentation import TEMPERATURE, implicit_logits, prototype_radius
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


def test_prototype_radius_golden() -> None:
    # By hand: traces of the covariances 1 and 4, mean 2.5, two dimensions.
    rows = np.array([[-1, 0], [1, 0], [5, -2], [5, 2]], dtype=float)
    assert prototype_radius(rows, np.array([0, 0, 1, 1])) == pytest.approx(1.25**0.5)


def test_the_implicit_form_bounds_the_sampled_one() -> None:
    import torch

    torch.manual_seed(0)
    weights, centres, radius = torch.randn(3, 4), torch.randn(3, 4), 0.05
    own = torch.arange(3)
    logits = centres @ weights.T / TEMPERATURE
    bound = torch.nn.functional.cross_entropy(implicit_logits(logits, weights, own, radius), own)
    noisy = centres + radius * torch.randn(4000, 3, 4)
    sampled = torch.nn.functional.cross_entropy((noisy @ weights.T / TEMPERATURE).reshape(-1, 3), own.repeat(4000))
    assert float(sampled) <= float(bound) * 1.02
    assert torch.equal(implicit_logits(logits, weights, own, 0.0), logits)


def test_old_prototypes_stay_where_they_are() -> None:
    vectors, labels = groups(4, 10)
    head = PrototypeHead(epochs=2)
    head.learn(vectors[labels < 2], labels[labels < 2])
    before = head.state()["weights"]
    head.learn(vectors[labels >= 2], labels[labels >= 2])
    assert np.array_equal(head.state()["weights"][:2], before)


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


def test_preference_trades_the_old_against_the_new() -> None:
    vectors, labels = groups(6, 30, spread=0.6)
    head = ParetoHead(per_class=2, epochs=2)
    for low in (0, 3):
        part = (labels >= low) & (labels < low + 3)
        head.learn(vectors[part], labels[part])
    fresh, truth = groups(6, 60, seed=1, spread=0.6)

    def accuracies(preference: float | None) -> tuple[float, float]:
        head.preference = preference
        hits = head.predict(fresh) == truth
        return float(hits[truth < 3].mean()), float(hits[truth >= 3].mean())

    stable, plastic = accuracies(1.0), accuracies(0.0)
    assert stable[0] > plastic[0]
    assert stable[1] < plastic[1]
    assert min(accuracies(None)) > 0.2
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        accuracies(1.5)


def test_what_is_replayed_is_what_was_asked_for() -> None:
    vectors, labels = groups(4, 20)
    for per_class, kept in ((3, [3, 3, 3, 3]), (None, [20] * 4)):
        head = ReplayHead(per_class=per_class, epochs=1)
        for low in (0, 2):
            part = (labels >= low) & (labels < low + 2)
            head.learn(vectors[part], labels[part])
        assert np.bincount(head.state()["kept_labels"]).tolist() == kept
    naive = ReplayHead(per_class=0, epochs=1)
    naive.learn(vectors, labels)
    assert set(naive.state()) == {"labels", "weights", "bias"}


def test_augmentation_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="hardness"):
        PrototypeAugmentationHead(hardness=1.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), sharpness=st.floats(0.1, 50))
def test_chances_sum_to_one(seed: int, sharpness: float) -> None:
    draw = np.random.default_rng(seed)
    chances = soft_assignments(draw.normal(size=(5, 3)), draw.normal(size=(4, 3)), sharpness)
    np.testing.assert_allclose(chances.sum(1), 1)
