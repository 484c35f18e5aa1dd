"""Positives only: cross-entropy of what succeeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batch import ContrastBatch, LearnsFrom

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Positives:
    """`-sum_t log p(y_t) / tokens` over the successes, each token weighted by the trust in its answer.

    Reward-ranked fine-tuning: Dong et al. 2023, "RAFT", https://arxiv.org/abs/2304.06767, algorithm 1. What a night does by default.
    """

    learns_from: LearnsFrom = "successes"
    """Failures are not seen."""
    needs_reference: bool = False
    """It is not compared with anything."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """Nats a token."""
        return likelihood_loss(batch.log_probs, batch.answered, batch.weight * batch.success)


def likelihood_loss(log_probs: Tensor, answered: Tensor, weight: Tensor) -> Tensor:
    """Mean negative log-likelihood of a token, `(n, length)` under the weights `(n,)` of its answer; zero without a token."""
    weights = answered * weight[:, None]
    loss: Tensor = -(log_probs * weights).sum() / weights.sum().clamp(min=1e-8)
    return loss
