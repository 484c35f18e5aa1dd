from __future__ import annotations

import pytest
import torch
from made.contrast_batches import made

from lifelong.learners.contrast.batch import weighted_mean


def test_sums_and_means_are_over_the_tokens_of_an_answer() -> None:
    batch = made([[-1.0, -2.0, -3.0], [-4.0]])
    assert batch.sums(batch.log_probs).tolist() == [-6.0, -4.0]
    assert batch.means(batch.log_probs).tolist() == [-2.0, -4.0]


def test_a_weighted_mean_of_no_weight_is_zero() -> None:
    assert weighted_mean(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])).item() == pytest.approx(2.0)
    assert weighted_mean(torch.tensor([1.0]), torch.tensor([0.0])).item() == 0.0
