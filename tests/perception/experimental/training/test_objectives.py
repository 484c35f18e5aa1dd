"""Losses of single batches, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from lifelong.perception import (
    Bootstrapping,
    CrossEntropy,
    DynamicsAwareLoss,
    GeneralisedCrossEntropy,
    Mixup,
    Objective,
    OpenMix,
    OutlierExposure,
    generalised_cross_entropy,
)

OUTLIERS = torch.tensor([[2.0, -2.0], [-2.0, 2.0]])  # on neither side of the line


class Fixed(nn.Module):
    """Gives the same logits whatever it is asked."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits).log())

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(inputs), -1)


def loss_of(objective: Objective, model: nn.Module, done: float = 0.0) -> float:
    return objective.loss(model, torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64), done, np.random.default_rng(0)).item()


# The softmax of ln (1, 2, 5) is (1, 2, 5) / 8, and the label is the first class.
ENTROPY = -(0.125 * math.log(0.125) + 0.25 * math.log(0.25) + 0.625 * math.log(0.625))


@pytest.mark.parametrize(
    ("objective", "golden"),
    [
        (CrossEntropy(), math.log(8)),
        (GeneralisedCrossEntropy(0.5), (1 - math.sqrt(1 / 8)) / 0.5),
        (Bootstrapping(0.75), 0.75 * math.log(8) + 0.25 * ENTROPY),
        (OutlierExposure(OUTLIERS, 0.5), math.log(8) + 0.5 * (math.log(8) - math.log(10) / 3)),
        (Mixup(), math.log(8)),
    ],
)
def test_objective_golden(objective: Objective, golden: float) -> None:
    assert loss_of(objective, Fixed([1.0, 2.0, 5.0])) == pytest.approx(golden, rel=1e-5)


def test_open_mix_golden() -> None:
    # Of the class ln 8, of the one class more ln (8 / 5); lam is what the generator draws first.
    lam = np.random.default_rng(0).beta(10, 10)
    expected = math.log(8) + lam * math.log(8) + (1 - lam) * math.log(8 / 5)
    assert loss_of(OpenMix(OUTLIERS), Fixed([1.0, 2.0, 5.0])) == pytest.approx(expected, rel=1e-5)


def test_dynamics_aware_golden() -> None:
    objective = DynamicsAwareLoss()
    assert objective.schedule(0.0) == (0.6, 0.0)
    assert objective.schedule(4 / 9) == pytest.approx((1.0, 0.0))
    assert objective.schedule(1.0) == pytest.approx((1.5, 1.0))
    expected = (1 - 0.125**1.5) / 1.5 + ENTROPY / (1.5 * math.log(3))
    assert loss_of(objective, Fixed([1.0, 2.0, 5.0]), done=1.0) == pytest.approx(expected, rel=1e-5)


def test_generalised_cross_entropy_has_a_gradient_where_the_class_is_impossible() -> None:
    logits = torch.tensor([[-500.0, 500.0]], requires_grad=True)
    generalised_cross_entropy(logits, torch.tensor([0]), 0.7).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
