"""Networks over a handful of words that learn and forget in a moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from lifelong.evals.suites.networks.networks import PADDING, TokenizedTexts, fine_tune
from lifelong.evals.suites.networks.suite import (
    QUICK,
    Learned,
)


class Words(nn.Module):
    """The mean of word vectors after one block."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 8)
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 8))])

    def forward(self, tokens: Tensor) -> Tensor:
        there = tokens != PADDING
        rows = self.words(tokens.clamp_min(0))
        for layer in self.layers:
            rows = rows + layer(rows)
        mean: Tensor = (rows * there.unsqueeze(-1)).sum(1) / there.sum(1, keepdim=True)
        return mean


def material(classes: int = 4, each: int = 10, seed: int = 0) -> TokenizedTexts:
    """A class's texts hold its own word and two others, some a third."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    inputs = np.stack([labels, *draw.integers(classes, 12, (2, len(labels))), draw.choice([PADDING, 11], len(labels))], axis=1)
    return TokenizedTexts(inputs=torch.from_numpy(inputs), labels=torch.from_numpy(labels), classes=labels)


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(Words(), nn.Linear(8, 4)).eval()


def learned() -> Learned:
    scale = replace(QUICK, classes=4, texts=10, requests=2, retained_share=0.5, recipe=replace(QUICK.recipe, steps=30))
    known = network()
    fine_tune(known, material(), epochs=20, learning_rate=0.01, seed=0)
    return Learned(scale=scale, network=known, train=material(), test=material(seed=1))
