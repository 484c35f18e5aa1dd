"""Losses against figures computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from lifelong.learners.navigation.losses import (
    feature_distillation_loss,
    imitation_loss,
    inflection_weights,
    policy_distillation_loss,
)


def test_steps_at_which_the_action_changes_weigh_more() -> None:
    assert inflection_weights([2, 2, 2, 0, 0, 2]).tolist() == [3.48, 1, 1, 3.48, 1, 3.48]
    assert inflection_weights([], weight=2).tolist() == []


def test_imitation() -> None:
    # Two actions with chances 3/4 and 1/4. Episode 1: the likely one with weight 2, the other with weight 1; episode 2: one step only.
    logits = torch.log(torch.tensor([[[3.0, 1.0], [3.0, 1.0]], [[3.0, 1.0], [1.0, 1.0]]]))
    actions, weights = torch.tensor([[0, 1], [1, 0]]), torch.tensor([[2.0, 1.0], [1.0, 5.0]])
    valid = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    first = (2 * math.log(4 / 3) + math.log(4)) / 2
    assert float(imitation_loss(logits, actions, weights, valid)) == pytest.approx((first + math.log(4)) / 2)


def test_distillation() -> None:
    # Squared distances 9 + 16 and 1 in the first episode, 4 in the second, whose second step is filling.
    new = torch.tensor([[[3.0, 4.0], [0.0, 1.0]], [[2.0, 0.0], [9.0, 9.0]]], requires_grad=True)
    old = torch.zeros(2, 2, 2, requires_grad=True)
    loss = feature_distillation_loss(new, old, torch.tensor([[1.0, 1.0], [1.0, 0.0]]))
    assert float(loss.detach()) == pytest.approx((26 / 2 + 4) / 2)
    loss.backward()
    assert old.grad is None
    assert new.grad is not None
    assert new.grad[1, 1].tolist() == [0, 0]


def test_distillation_of_the_policy() -> None:
    # The old one says 3/4 and 1/4, the new one 1/2 and 1/2: a cross-entropy of log 2; the second step is filling.
    old = torch.log(torch.tensor([[[3.0, 1.0], [1.0, 9.0]]]))
    new = torch.zeros(1, 2, 2, requires_grad=True)
    loss = policy_distillation_loss(new, old, torch.tensor([[1.0, 0.0]]))
    assert float(loss.detach()) == pytest.approx(math.log(2))
    loss.backward()
    assert new.grad is not None
    assert new.grad[0].tolist() == [[pytest.approx(-0.25), pytest.approx(0.25)], [0, 0]]
