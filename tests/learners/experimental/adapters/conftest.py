"""An encoder so small that its adapters learn in a moment."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lifelong.learners import AdaptedEncoder


@pytest.fixture(scope="module")
def encoder() -> AdaptedEncoder:
    import torch
    from torch import nn

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.inner, self.outer = nn.Embedding(40, 16), nn.Linear(16, 32), nn.Linear(32, 16)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
            tokens = self.tokens(input_ids)
            return SimpleNamespace(last_hidden_state=tokens + self.outer(torch.tanh(self.inner(tokens))))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Small()
    return AdaptedEncoder(network, lambda texts: [[ord(letter) % 40 for letter in text] for text in texts])
