"""Positives, and away from the token at which a failure leaves the nearest success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batch import ContrastBatch, LearnsFrom, weighted_mean
from .positives import likelihood_loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class FirstDivergenceUnlikelihood:
    """Cross-entropy of the success and, at the failure's first divergent token alone, `-log(1 - (1 - floor) p)`.

    Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training", https://arxiv.org/abs/1908.04319, equation 4, with the
    failure's token as the only negative candidate and bounded: the term is at most `-log(floor)`, and its slope in p at most
    `1 / floor`. The tokens before that place are the success's own, and those after it follow from it.
    """

    strength: float = 0.5
    """Weight of the term beside the cross-entropy."""
    floor: float = 0.05
    """Keeps the term and its slope finite where the wrong token is certain."""
    learns_from: LearnsFrom = "pairs"
    """Each failure beside its nearest success."""
    needs_reference: bool = False
    """It is not compared with anything."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """Nats a token of the success, and nats a failure."""
        right = likelihood_loss(batch.log_probs, batch.answered, batch.weight * batch.success)
        diverging = (batch.divergence >= 0) & ~batch.success
        at = batch.log_probs.gather(1, batch.divergence.clamp(min=0)[:, None]).squeeze(1)
        return right + self.strength * weighted_mean(bounded_unlikelihood(at, self.floor), batch.weight * diverging)


def bounded_unlikelihood(log_prob: Tensor, floor: float) -> Tensor:
    """`-log(1 - (1 - floor) p)` of log-probabilities of any shape, in [0, -log(floor)].

    With p = 1/2 and floor 0.05 it is -log(0.525) = 0.64436.
    """
    loss: Tensor = -(1.0 - (1.0 - floor) * log_prob.exp()).log()
    return loss
