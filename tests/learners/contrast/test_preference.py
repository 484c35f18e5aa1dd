from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made.contrast_batches import made, slopes

from lifelong.learners.contrast.preference import DirectPreference, preference_loss


def test_the_golden_number_of_the_formula() -> None:
    assert preference_loss(torch.tensor(2.0), torch.tensor(-3.0), 0.1).item() == pytest.approx(0.47408, abs=1e-5)


def test_a_pair_by_hand() -> None:
    batch = made([[-1.0, -1.0], [-4.0]], [[-2.0, -2.0], [-1.0]], success=[True, False])
    assert DirectPreference(likelihood=0.0).loss(batch).item() == pytest.approx(0.47408, abs=1e-5)
    assert DirectPreference(likelihood=0.5).loss(batch).item() == pytest.approx(0.47408 + 0.5, abs=1e-5)


def test_the_success_is_pulled_and_the_failure_pushed_alike() -> None:
    batch = made([[-1.0], [-1.0]], success=[True, False])
    assert slopes(batch, DirectPreference(likelihood=0.0).loss(batch)) == [[-0.05], [0.05]]


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.01, 1.0))
def test_a_pair_and_its_exchange_have_complementary_probabilities(chosen: float, rejected: float, beta: float) -> None:
    one, other = (
        preference_loss(torch.tensor(a, dtype=torch.float64), torch.tensor(b), beta) for a, b in ((chosen, rejected), (rejected, chosen))
    )
    assert math.exp(-one.item()) + math.exp(-other.item()) == pytest.approx(1.0)
    assert (one.item() < math.log(2)) == (chosen > rejected) or chosen == pytest.approx(rejected)
