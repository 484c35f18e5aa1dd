from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made.contrast_batches import made, slopes

from lifelong.learners.contrast.prospect import KahnemanTversky, prospect_loss


def test_the_golden_number_of_the_formula() -> None:
    loss = prospect_loss(torch.tensor([2.0, 2.0]), torch.tensor([True, False]), torch.tensor(1.0), 0.1)
    assert loss.tolist() == pytest.approx([0.47502, 0.52498], abs=1e-5)


def test_the_reference_point_is_the_mean_ratio_of_the_batch_and_never_negative() -> None:
    batch = made([[-1.0], [-1.0]], [[-4.0], [-2.0]], success=[True, False])
    # Ratios 3 and 1, so a point of 2: a gain of 1 for the success, of 1 for the failure below it.
    assert KahnemanTversky().loss(batch).item() == pytest.approx(1 - torch.tensor(0.1).sigmoid().item(), abs=1e-6)
    below = made([[-3.0], [-3.0]], [[-1.0], [-1.0]], success=[True, False])
    expected = (prospect_loss(torch.tensor([-2.0, -2.0]), torch.tensor([True, False]), torch.tensor(0.0), 0.1)).mean().item()
    assert KahnemanTversky().loss(below).item() == pytest.approx(expected, abs=1e-6)


def test_successes_are_pulled_and_failures_pushed_also_alone() -> None:
    batch = made([[-1.0], [-1.0]], success=[True, False])
    [[pull], [push]] = slopes(batch, KahnemanTversky().loss(batch))
    assert pull < 0 < push
    alone = made([[-1.0]], success=[False])
    assert slopes(alone, KahnemanTversky().loss(alone))[0][0] > 0


@given(st.floats(-100, 100), st.booleans(), st.floats(0, 10))
def test_a_loss_is_a_probability(ratio: float, success: bool, point: float) -> None:
    [loss] = prospect_loss(torch.tensor([ratio]), torch.tensor([success]), torch.tensor(point), 0.1).tolist()
    assert 0.0 <= loss <= 1.0
