"""The navigator's network: shapes, seeds, padding."""

from __future__ import annotations

import pytest
import torch

from lifelong.learners.navigation.backbones import BACKBONES
from lifelong.learners.navigation.modalities import MODALITIES
from lifelong.learners.navigation.network import aligned_features, navigator_network, padded


@pytest.mark.parametrize("backbone", BACKBONES)
def test_shapes_and_seeds(backbone: str) -> None:
    before = torch.random.get_rng_state()
    one, same, other = (navigator_network(actions=5, backbone=backbone, width=8, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    views, goals, last = torch.randint(0, 11, (2, 4, 7, 7, 3)), torch.tensor([0, 2]), torch.tensor([[5, 0, 1, 2], [5, 4, 3, 2]])
    features = aligned_features(one, views, goals, last)
    assert features.shape == (2, 4, 8)
    assert torch.equal(features, aligned_features(same, views, goals, last))
    assert not torch.equal(features, aligned_features(other, views, goals, last))
    assert one["policy"](features).shape == (2, 4, 5)


def test_goal_and_last_action_are_part_of_the_feature() -> None:
    network = navigator_network(actions=5, width=8)
    views = torch.randint(0, 11, (1, 1, 7, 7, 3))
    found = [aligned_features(network, views, torch.tensor([goal]), torch.tensor([[last]])) for goal, last in ((0, 5), (1, 5), (0, 4))]
    assert not torch.allclose(found[0], found[1])
    assert not torch.allclose(found[0], found[2])


def test_a_network_reads_the_views_of_its_world() -> None:
    rooms = MODALITIES["objectnav-3d"]
    network = navigator_network(actions=5, modality=rooms, width=8)
    views = torch.randint(0, rooms.values, (2, 3, *rooms.shape))
    features = aligned_features(network, views, torch.tensor([0, rooms.goals - 1]), torch.zeros(2, 3, dtype=torch.long))
    assert features.shape == (2, 3, 8)
    assert not torch.allclose(
        features, aligned_features(network, views.flip(3), torch.tensor([0, rooms.goals - 1]), torch.zeros(2, 3).long())
    )


def test_shorter_episodes_are_filled_up() -> None:
    rows, valid = padded([torch.ones(3, 2), torch.ones(1, 2)])
    assert rows.shape == (2, 3, 2)
    assert valid.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_what_cannot_be_made_is_refused() -> None:
    for backbone, width in (("lstm", 8), ("gru", 6), ("gru", 0)):
        with pytest.raises(ValueError, match="backbone must be one of gru, transformer, linear_attention, width a multiple of 4"):
            navigator_network(actions=5, backbone=backbone, width=width)
