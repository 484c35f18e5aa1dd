"""Distillation of features."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from made.tiny_images import TINY, made

from lifelong.learners import (
    PrototypeImageLearner,
)
from lifelong.learners.experimental.images.distillation import distillation_loss
from lifelong.learners.experimental.images.image_learner import encoded
from lifelong.learners.experimental.images.views import network_inputs, turned


def test_distillation_loss_golden() -> None:
    # At T = 2: taught (0.75, 0.25), answered (0.5, 0.5); KL = 0.75 ln 1.5 + 0.25 ln 0.5; times T^2.
    taught = torch.tensor([[2 * np.log(3.0), 0.0]])
    expected = 4 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    assert distillation_loss(torch.zeros(1, 2, dtype=torch.float64), taught).item() == pytest.approx(expected)
    assert distillation_loss(taught, taught).item() == pytest.approx(0)


def test_distillation_is_the_distance_to_the_features_before() -> None:
    pixels, labels = made([0, 1])
    found = []
    for distillation in (0.0, 1.0):
        learner = PrototypeImageLearner(TINY, distillation=distillation, strength=0.0)
        learner.learn(pixels, labels)
        teacher = copy.deepcopy(learner._trained())
        with torch.no_grad():
            for weights in teacher[0].parameters():
                weights.mul_(1.5)
            batch = network_inputs(pixels)
            found.append(learner._loss(batch, torch.from_numpy(labels), teacher, np.random.default_rng(0)).item())
    turns = torch.from_numpy(np.random.default_rng(0).integers(4, size=len(batch)))
    after, before = (encoded(network, turned(batch, turns)).detach() for network in (learner._trained(), teacher))
    assert found[1] - found[0] == pytest.approx((after - before).norm(dim=1).mean().item(), rel=1e-4)
