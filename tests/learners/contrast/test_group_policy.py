from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made.contrast_batches import made, slopes

from lifelong.learners.contrast.group_policy import GroupRelativePolicy, clipped_gain, divergence_estimate, group_advantages


def test_advantages_by_hand() -> None:
    assert group_advantages([1.0, 0.0, 0.0, 0.0]) == pytest.approx([1.4997, -0.4999, -0.4999, -0.4999], abs=1e-4)
    assert group_advantages([1.0, 1.0]) == [0.0, 0.0]
    assert group_advantages([1.0]) == [0.0]
    assert group_advantages([]) == []


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=2, max_size=8))
def test_advantages_are_centred_and_of_the_sign_of_the_verdict(rewards: list[float]) -> None:
    found = group_advantages(rewards)
    assert sum(found) == pytest.approx(0.0, abs=1e-9)
    if len(set(rewards)) == 2:
        assert all((value > 0) == (reward == 1.0) for value, reward in zip(found, rewards, strict=True))
    else:
        assert found == [0.0] * len(rewards)


def test_the_gain_of_a_token_ends_where_its_ratio_has_moved_far_enough() -> None:
    ratios = torch.tensor([[math.log(1.5), math.log(0.5)]])
    assert clipped_gain(ratios, torch.tensor([2.0]), 0.2).tolist()[0] == pytest.approx([2.4, 1.0])
    assert clipped_gain(ratios, torch.tensor([-2.0]), 0.2).tolist()[0] == pytest.approx([-3.0, -1.6])


def test_the_estimate_of_the_divergence_by_hand() -> None:
    batch = made([[-1.0, -1.0]], [[-2.0, -1.0]])
    assert divergence_estimate(batch).tolist()[0] == pytest.approx([math.exp(-1.0), 0.0], abs=1e-6)


def test_at_the_reference_the_slope_is_the_advantage_over_the_tokens() -> None:
    batch = made([[-1.0, -1.0], [-1.0]], advantage=[1.0, -0.5], success=[True, False])
    loss = GroupRelativePolicy().loss(batch)
    assert loss.item() == pytest.approx(-(1.0 - 0.5) / 2)
    assert slopes(batch, loss) == [[-0.25, -0.25], [0.25, 0.0]]


def test_groups_that_are_all_right_or_all_wrong_have_no_slope_at_the_reference() -> None:
    batch = made([[-1.0], [-2.0]])
    assert slopes(batch, GroupRelativePolicy().loss(batch)) == [[0.0], [0.0]]
