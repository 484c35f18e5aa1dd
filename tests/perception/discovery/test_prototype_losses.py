from __future__ import annotations

from math import exp, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.perception.discovery.prototype_losses import (
    adaptive_targets,
    distillation,
    entropy_regulariser,
    separation_regulariser,
    supervised_contrast,
)


def test_targets_are_hard_for_the_surest_share() -> None:
    cosines = torch.tensor([[0.9, 0.1], [0.5, 0.45]])
    soft = torch.softmax(cosines / 0.05, -1)
    assert adaptive_targets(cosines, 0.0) == pytest.approx(soft)
    half = adaptive_targets(cosines, 0.5)
    assert half[0].tolist() == [1, 0]
    assert half[1] == pytest.approx(soft[1])
    assert adaptive_targets(cosines, 1.0).tolist() == [[1, 0], [1, 0]]
    assert not adaptive_targets(cosines.requires_grad_(), 1.0).requires_grad


def test_regularisers_by_hand() -> None:
    assert entropy_regulariser(torch.zeros(5, 4)).item() == pytest.approx(0, abs=1e-6)
    one_sided = torch.tensor([[1.0, -1.0]] * 3)
    share = 1 / (1 + exp(-20))
    assert entropy_regulariser(one_sided).item() == pytest.approx(log(2) + share * log(share) + (1 - share) * log(1 - share), abs=1e-5)
    assert separation_regulariser(torch.eye(3)).item() == pytest.approx(0, abs=1e-6)
    assert separation_regulariser(torch.tensor([[1.0, 0.0], [1.0, 0.0]])).item() == pytest.approx(10, abs=1e-4)


def test_distillation_is_least_where_views_agree() -> None:
    cosines = torch.tensor([[0.9, 0.0, 0.0], [0.0, 0.9, 0.0]])
    assert distillation(cosines, cosines, 1.0).item() == pytest.approx(log(1 + 2 * exp(-9)), rel=1e-3)
    assert distillation(cosines, cosines.flip(0), 1.0) > distillation(cosines, cosines, 1.0)


def test_supervised_contrast_by_hand() -> None:
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    labels = torch.tensor([0, 0, 1])
    assert supervised_contrast(rows, labels).item() == pytest.approx(log(1 + exp(-1 / 0.07)), abs=1e-6)
    assert supervised_contrast(rows, torch.tensor([0, 1, 2])).item() == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(2, 6), st.integers(1, 8), st.floats(0, 1))
def test_ranges(seed: int, classes: int, rows: int, share: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    cosines = torch.rand(rows, classes, generator=draw) * 2 - 1
    targets = adaptive_targets(cosines, share)
    assert targets.sum(-1) == pytest.approx(torch.ones(rows), abs=1e-5)
    assert int((targets == 1).any(-1).sum()) >= int(share * rows)
    assert -1e-5 <= entropy_regulariser(cosines).item() <= log(classes) + 1e-5
    order = torch.randperm(rows, generator=draw)
    assert entropy_regulariser(cosines[order]).item() == pytest.approx(entropy_regulariser(cosines).item(), abs=1e-5)
