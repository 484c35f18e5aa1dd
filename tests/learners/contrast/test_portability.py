from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made.contrast_batches import made, slopes

from lifelong.learners.contrast.group_policy import GroupRelativePolicy
from lifelong.learners.contrast.portability import PortableAnchor, anchor_weight, portability


def test_portability_is_the_geometric_mean_probability_of_an_answer() -> None:
    batch = made([[-1.0, -1.0], [-1.0]], [[math.log(0.5), math.log(0.125)], [0.0]])
    assert portability(batch).tolist() == pytest.approx([0.25, 1.0])
    assert anchor_weight(torch.tensor([0.0, 0.25, 1.0]), 0.1, 0.5).tolist() == pytest.approx([0.1, 0.2, 0.5])


@given(st.floats(-20, 0), st.floats(-20, 0))
def test_what_the_reference_gives_more_easily_is_held_more_tightly(one: float, other: float) -> None:
    first, second = anchor_weight(portability(made([[-1.0], [-1.0]], [[one], [other]])), 0.0, 0.2).tolist()
    assert 0.0 <= min(first, second) <= max(first, second) <= 0.2 + 1e-6
    assert (first >= second) or one <= other


def test_the_penalty_holds_each_answer_by_its_own_weight() -> None:
    batch = made([[-1.0], [-5.0]], [[-0.1], [-4.1]])
    [[easy], [hard]] = slopes(batch, PortableAnchor(loose=0.0, tight=1.0).loss(batch))
    # Both have moved by as much; the slope of the estimate is 1 - exp(0.9) for both, times the portability, over two answers.
    assert easy == pytest.approx(math.exp(-0.1) * (1 - math.exp(0.9)) / 2, abs=1e-5)
    assert hard == pytest.approx(math.exp(-4.1) * (1 - math.exp(0.9)) / 2, abs=1e-5)


def test_with_one_weight_for_all_it_is_the_group_relative_policy() -> None:
    batch = made([[-1.0, -2.0], [-3.0]], [[-1.2, -1.8], [-2.5]], advantage=[0.7, -0.7], success=[True, False])
    same = PortableAnchor(loose=0.04, tight=0.04).loss(batch)
    assert same.item() == pytest.approx(GroupRelativePolicy(beta=0.04).loss(batch).item(), abs=1e-6)
