"""Branches that fold into the network."""

from __future__ import annotations

import copy

import pytest
import torch

from lifelong.learners import image_network
from lifelong.learners.experimental.images.branch_tuning import branched, expand, fold, folded_kernel


def test_folded_kernel_golden() -> None:
    kernel = torch.ones(1, 1, 3, 3)
    assert folded_kernel(kernel, torch.tensor([[[[5.0]]]])).flatten().tolist() == [1, 1, 1, 1, 6, 1, 1, 1, 1]
    assert torch.equal(folded_kernel(kernel, 2 * kernel), 3 * kernel)


@pytest.mark.parametrize("size", [1, 3])
def test_a_folded_network_equals_the_one_with_branches(size: int) -> None:
    images = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    network = image_network(3, width=4, blocks=(1, 1), stride=2).eval()
    plain = copy.deepcopy(network)
    expand(network, size)
    torch.testing.assert_close(network(images), plain(images))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if "branch" in name:
                weights.copy_(torch.randn(weights.shape, generator=draw))
    two = network(images)
    assert not torch.allclose(two, plain(images), atol=0.1)
    folded = fold(network)(images)
    assert (folded - two).abs().max() <= 1e-5 * two.abs().max()
    assert [name for name, _ in network.named_parameters()] == [name for name, _ in plain.named_parameters()]
    assert all(weights.requires_grad for weights in network.parameters())


@pytest.mark.parametrize("size", [2, 5])
def test_a_branch_that_would_not_fold_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="does not fold"):
        branched(torch.nn.Conv2d(1, 1, 3), size)
