"""A small network that has learned four groups, for what forgets or changes one."""

from __future__ import annotations

import pytest
import torch
from made.block_encoder import CLASSES, Encoder, accuracy, made
from torch import nn


@pytest.fixture(scope="module")
def trained() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(Encoder(), nn.Linear(6, CLASSES))
    inputs, labels = made(80, 0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(inputs), labels).backward()
        optimiser.step()
    assert accuracy(network, range(CLASSES)) > 0.97
    return network
