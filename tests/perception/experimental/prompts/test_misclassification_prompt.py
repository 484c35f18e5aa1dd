"""The losses of the misclassification prompt, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from lifelong.perception.experimental.prompts.misclassification_prompt import negative_loss, overlap


def test_misclassification_losses_golden() -> None:
    category, negative = torch.tensor([[1.0, 2.0]]).log(), torch.tensor([[3.0, 4.0]]).log()
    assert negative_loss(category, negative).item() == pytest.approx(math.log(10 / 7), rel=1e-5)
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    assert overlap(rows).item() == pytest.approx((0.36 + 0.64 + 0.0) / 3)
    assert overlap(rows[:1]).item() == 0
