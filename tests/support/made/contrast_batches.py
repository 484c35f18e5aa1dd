"""Batches by hand for the objectives of contrast."""

from __future__ import annotations

from typing import Any

import torch

from lifelong.learners.contrast.batch import ContrastBatch


def made(log_probs: list[list[float]], reference: list[list[float]] | None = None, **changes: Any) -> ContrastBatch:
    """Answers of as many tokens as there are figures, all successes of weight 1; `changes` are lists of figures."""
    number, longest = len(log_probs), max(map(len, log_probs))

    def padded(rows: list[list[float]]) -> list[list[float]]:
        return [[*row, *[0.0] * (longest - len(row))] for row in rows]

    return ContrastBatch(
        log_probs=torch.tensor(padded(log_probs), requires_grad=True),
        reference=torch.tensor(padded(reference or log_probs)),
        answered=torch.tensor([[float(place < len(row)) for place in range(longest)] for row in log_probs]),
        success=torch.tensor(changes.get("success", [True] * number)),
        weight=torch.tensor(changes.get("weight", [1.0] * number)),
        advantage=torch.tensor(changes.get("advantage", [0.0] * number)),
        divergence=torch.tensor(changes.get("divergence", [-1] * number)),
    )


def slopes(batch: ContrastBatch, loss: torch.Tensor) -> list[list[float]]:
    """Derivative of the loss by each log-probability `(n, length)`."""
    [found] = torch.autograd.grad(loss, batch.log_probs)
    return [[round(float(value), 6) for value in row] for row in found]
