from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made.contrast_batches import made, slopes

from lifelong.learners.contrast.unlikelihood import FirstDivergenceUnlikelihood, bounded_unlikelihood


def test_the_golden_number_of_the_formula() -> None:
    assert bounded_unlikelihood(torch.tensor(math.log(0.5)), 0.05).item() == pytest.approx(0.64436, abs=1e-5)
    assert bounded_unlikelihood(torch.tensor(0.0), 0.05).item() == pytest.approx(-math.log(0.05), abs=1e-4)


@given(st.floats(-30, 0), st.floats(0.001, 1.0))
def test_the_term_and_its_slope_are_bounded(log_prob: float, floor: float) -> None:
    given_ = torch.tensor(log_prob, dtype=torch.float64, requires_grad=True)
    loss = bounded_unlikelihood(given_, floor)
    [slope] = torch.autograd.grad(loss, given_)
    assert -1e-9 <= loss.item() <= -math.log(floor) + 1e-9
    assert -1e-9 <= slope.item() <= 1 / floor + 1e-9, "by the log-probability; by p it is larger by 1 / p only where p is small"


def test_only_the_first_divergent_token_of_a_failure_is_pushed_away() -> None:
    batch = made([[-1.0, -1.0], [-1.0, math.log(0.5), -1.0]], success=[True, False], divergence=[-1, 1])
    loss = FirstDivergenceUnlikelihood(strength=2.0).loss(batch)
    assert loss.item() == pytest.approx(1.0 + 2.0 * 0.64436, abs=1e-4)
    [right, wrong] = slopes(batch, loss)
    assert right == [-0.5, -0.5, 0.0]
    assert (wrong[0], wrong[2]) == (0.0, 0.0)
    assert wrong[1] == pytest.approx(2.0 * 0.95 * 0.5 / 0.525, abs=1e-5)


def test_a_failure_that_diverges_nowhere_adds_nothing() -> None:
    batch = made([[-1.0], [-2.0]], success=[True, False])
    assert FirstDivergenceUnlikelihood().loss(batch).item() == pytest.approx(1.0)
