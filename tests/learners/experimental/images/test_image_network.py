from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from lifelong.learners import image_network

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_sizes_are_those_of_the_papers() -> None:
    # ResNet-18 for 32 x 32 images has 11.17 million weights at ten classes; ResNet-8 has 0.078 million with its shortcuts convolved.
    assert weights(image_network(10)) == 11_173_962
    assert weights(image_network(10, width=16, blocks=(1, 1, 1))) == 78_042


@pytest.mark.parametrize("stride", [1, 2])
def test_logits_and_features_have_their_shapes(stride: int) -> None:
    network = image_network(5, width=4, blocks=(1, 2, 1), stride=stride).eval()
    features = network[:-1](IMAGES)
    assert features.shape == (3, 16)
    torch.testing.assert_close(network[-1](features), network(IMAGES))
    assert network(IMAGES).shape == (3, 5)
    assert network(IMAGES[:, :, :20, :28]).shape == (3, 5)


def test_the_seed_alone_decides_and_other_draws_go_on_as_they_were() -> None:
    torch.manual_seed(7)
    first = image_network(3, width=4, blocks=(1,), seed=1)
    after = torch.randn(2)
    torch.manual_seed(8)
    again, other = image_network(3, width=4, blocks=(1,), seed=1), image_network(3, width=4, blocks=(1,), seed=2)
    torch.manual_seed(7)
    assert torch.equal(torch.randn(2), after)
    assert all(torch.equal(one, two) for one, two in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first[-1].weight, other[-1].weight)


def test_a_block_without_its_convolutions_passes_on_what_is_positive() -> None:
    block = image_network(2, width=4, blocks=(1,))[1].eval()
    kept = copy.deepcopy(block)
    for parameter in block.change.parameters():
        nn.init.zeros_(parameter)
    inputs = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    before = inputs.clone()
    torch.testing.assert_close(block(inputs), inputs.relu())
    assert not torch.equal(kept(inputs), block(inputs))
    assert torch.equal(inputs, before)


@pytest.mark.parametrize("wrong", [{"classes": 0}, {"width": 0}, {"blocks": ()}, {"blocks": (1, 0)}, {"stride": 0}])
def test_a_network_of_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        image_network(**{"classes": 3, **wrong})
