"""Prototype augmentation: radius, implicit form, settings."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.learners import PrototypeAugmentationHead, PrototypeHead
from lifelong.learners.experimental.heads.augmentation import TEMPERATURE, implicit_logits, prototype_radius


def groups(classes: int, each: int, seed: int = 0, spread: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + spread * draw.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


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


def test_augmentation_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="hardness"):
        PrototypeAugmentationHead(hardness=1.0)
