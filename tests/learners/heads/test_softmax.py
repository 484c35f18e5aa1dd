"""Gradient training that learned heads share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.learners.heads.softmax import LEAST_STEPS, balance, descend, network, places, scaled


def test_classes_count_alike_by_hand() -> None:
    weights = balance(np.array([0, 0, 0, 1]), 2)
    assert weights.tolist() == pytest.approx([4 / 6, 4 / 2])
    assert balance(np.array([0, 0]), 3).tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3]), "a class without a sample has a finite weight"


def test_places_are_those_of_the_known_classes() -> None:
    assert places(np.array([9, 2, 5, 2]), np.array([2, 5, 9])).tolist() == [2, 0, 1, 0]


def test_unit_vectors_get_entries_of_unit_variance() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert float(scaled(rows).std()) == pytest.approx(1, abs=0.02)


def test_a_network_is_that_of_its_seed_and_leaves_other_draws_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (network(4, 3, 8, 0.5, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one[0].weight, same[0].weight)  # type: ignore[arg-type]
    assert not torch.equal(one[0].weight, other[0].weight)  # type: ignore[arg-type]
    assert [type(layer).__name__ for layer in network(4, 3, 0, 0.5, 0)] == ["Linear"]


@pytest.mark.parametrize(("samples", "epochs", "steps"), [(10, 1, LEAST_STEPS), (600, 1, LEAST_STEPS), (600, 100, 200)])
def test_few_samples_get_more_passes_and_every_pass_sees_all(samples: int, epochs: int, steps: int) -> None:
    weight = torch.zeros(2, requires_grad=True)
    seen: list[torch.Tensor] = []

    def loss(rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        seen.append(targets)
        return ((rows @ weight - 1) ** 2).mean()

    inputs = torch.ones(samples, 2)
    descend([weight], loss, inputs, torch.arange(samples), epochs=epochs, rate=0.1, decay=0.0, seed=0)
    assert len(seen) == steps
    batches = max(1, samples // 256)
    assert torch.cat(seen[:batches]).sort().values.tolist() == list(range(samples))
    assert float(weight.detach().sum()) == pytest.approx(1, abs=0.05), "it has learned that the sum is one"
