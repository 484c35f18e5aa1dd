"""Gradient training that the learned heads share: a small network over unit vectors, in torch, the same on every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Labels

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["Tensor", "Tensor"], "Tensor"]
"""The loss of a batch: its inputs and the places of its classes, or of its samples."""


LEAST_STEPS = 150
"""Of gradient descent, however few the samples."""


def network(dimensions: int, classes: int, hidden: int, dropout: float, seed: int) -> nn.Sequential:
    """A linear head, or with `hidden` units a perceptron; initialised from the seed and nothing else."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not hidden:
            return nn.Sequential(nn.Linear(dimensions, classes))
        return nn.Sequential(nn.Linear(dimensions, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, classes))


def descend(
    parameters: list[Tensor], loss: Loss, inputs: Tensor, targets: Tensor, *, epochs: int, rate: float, decay: float, seed: int
) -> None:
    """AdamW in batches of 256 with a half cosine to zero; everything random comes from the seed.

    Few samples get more passes, so that there are 150 steps at least.
    """
    import torch

    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        batches = max(1, len(inputs) // 256)
        epochs = max(epochs, -(-LEAST_STEPS // batches))
        optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * batches)
        for _ in range(epochs):
            for rows in torch.tensor_split(torch.randperm(len(inputs)), batches):
                optimiser.zero_grad()
                loss(inputs[rows], targets[rows]).backward()  # type: ignore[no-untyped-call]  # torch says nothing of it
                optimiser.step()
                schedule.step()


def places(labels: Labels, known: Labels) -> NDArray[np.int64]:
    """Where each label stands among the known ones."""
    return np.asarray(np.searchsorted(known, labels), dtype=np.int64)


def balance(targets: NDArray[np.int64], classes: int) -> Tensor:
    """Weights `(classes,)` under which every class counts alike, whatever the number of its samples; their mean over samples is one."""
    import torch

    counts = np.maximum(np.bincount(targets, minlength=classes), 1)
    return torch.from_numpy((len(targets) / (classes * counts)).astype(np.float32))


def scaled(rows: NDArray[np.float32]) -> Tensor:
    """Unit vectors as a tensor with entries of unit variance, which the usual learning rates are made for."""
    import torch

    return torch.from_numpy(rows * np.float32(np.sqrt(rows.shape[1])))
