"""The losses of ProtoGCD over cosines to prototypes, as pure formulas (Ma et al. 2025, "ProtoGCD: Unified and Unbiased Prototype
Learning for Generalized Category Discovery"). All take torch tensors and can be trained through.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from .discoverer import TEMPERATURE

if TYPE_CHECKING:
    from torch import Tensor

SHARP = 0.05
"""Temperature of the targets that one view gives to the other."""
CONTRAST = 0.07
"""Temperature of the supervised contrast (Khosla et al. 2020, https://arxiv.org/abs/2004.11362)."""


def adaptive_targets(cosines: Tensor, hard_share: float) -> Tensor:
    """Targets `(n, classes)` from cosines `(n, classes)`: one-hot for the share of rows that is surest, the sharp softmax for the rest.

    Surest is the largest ratio of the first to the second probability (the dual-level adaptive pseudo-labels). No gradient passes.
    """
    from torch.nn.functional import one_hot

    cosines = cosines.detach()
    targets = (cosines / SHARP).softmax(-1)
    count = int(hard_share * len(targets))
    if count:
        first, second = cosines.topk(2, dim=-1).values.unbind(-1)
        # A ratio of softmax probabilities is the exponential of their cosines' difference: the same order, and no overflow.
        surest = (first - second).topk(count).indices
        targets[surest] = one_hot(cosines[surest].argmax(-1), cosines.shape[-1]).to(targets)
    return targets


def distillation(cosines: Tensor, others: Tensor, hard_share: float) -> Tensor:
    """Cross-entropy of each view `(n, classes)` against the adaptive targets that the other gives."""
    to_first = -(adaptive_targets(others, hard_share) * (cosines / TEMPERATURE).log_softmax(-1)).sum(-1).mean()
    to_second = -(adaptive_targets(cosines, hard_share) * (others / TEMPERATURE).log_softmax(-1)).sum(-1).mean()
    return (to_first + to_second) / 2


def entropy_regulariser(cosines: Tensor) -> Tensor:
    """`L_ent = ln K - H(mean prediction)`, at least 0: no class takes all rows."""
    mean = (cosines / TEMPERATURE).softmax(-1).mean(0)
    return log(cosines.shape[-1]) + (mean * mean.clamp_min(1e-9).log()).sum()


def separation_regulariser(prototypes: Tensor) -> Tensor:
    """`L_sep = mean_i ln (1 / (K - 1) sum_{j != i} exp(mu_i . mu_j / 0.1))` of unit prototypes `(K, d)`, K > 1: none sits on another."""
    import torch

    count = len(prototypes)
    cosines = (prototypes @ prototypes.T / TEMPERATURE).masked_fill(torch.eye(count, dtype=torch.bool), -torch.inf)
    return (cosines.logsumexp(-1) - log(count - 1)).mean()


def supervised_contrast(rows: Tensor, labels: Tensor) -> Tensor:
    """Rows of one class attract, the others repel: unit rows `(n, d)`, labels `(n,)`; 0 where no class has two rows.

    Khosla et al. 2020, "Supervised Contrastive Learning", equation 2, https://arxiv.org/abs/2004.11362.
    """
    import torch

    itself = torch.eye(len(rows), dtype=torch.bool)
    cosines = rows @ rows.T / CONTRAST
    positives = ((labels[:, None] == labels) & ~itself).to(rows)
    log_share = cosines - cosines.masked_fill(itself, -1e9).logsumexp(-1, keepdim=True)
    counts = positives.sum(1)
    paired = counts > 0  # a row that is alone in its class attracts nothing, and has no mean
    if not paired.any():
        return rows.sum() * 0  # a zero that can be trained through
    return -((positives * log_share).sum(1)[paired] / counts[paired]).mean()
