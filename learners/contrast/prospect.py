"""Kahneman-Tversky optimisation: answers one by one, each better or worse than a reference point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batch import ContrastBatch, LearnsFrom, weighted_mean

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class KahnemanTversky:
    """`1 - sigmoid(beta (ratio - z))` of a success, `1 - sigmoid(beta (z - ratio))` of a failure.

    Ethayarajh et al. 2024, "KTO: Model Alignment as Prospect Theoretic Optimization", https://arxiv.org/abs/2402.01306, equation 7.
    There the reference point z is estimated on answers of other prompts, with a third forward pass; here it is the mean log-ratio of the
    batch's own answers, at least 0, without a gradient.
    """

    beta: float = 0.1
    """How soon a gain or a loss is felt in full."""
    failure_weight: float = 1.0
    """What a failure counts beside a success."""
    learns_from: LearnsFrom = "all"
    """Successes and failures need no partner."""
    needs_reference: bool = True
    """Ratios are to the model that training began with."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """The mean over answers, in [0, 1] where both weigh the same."""
        ratios = batch.sums(batch.log_probs - batch.reference)
        point = ratios.mean().clamp(min=0.0).detach()
        trust = batch.weight * batch.success + self.failure_weight * batch.weight * ~batch.success
        return weighted_mean(prospect_loss(ratios, batch.success, point, self.beta), trust)


def prospect_loss(ratios: Tensor, success: Tensor, point: Tensor, beta: float) -> Tensor:
    """The loss of each answer `(n,)` from its log-ratio: 2 above a point of 1, with beta 0.1, is 1 - sigmoid(0.1) = 0.47502."""
    from torch import where

    gain = beta * (ratios - point)
    return 1.0 - where(success, gain, -gain).sigmoid()
