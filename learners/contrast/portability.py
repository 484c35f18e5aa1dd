"""A group-relative policy that is held to the reference answer by answer, as far as the reference can do the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batch import ContrastBatch, LearnsFrom, weighted_mean
from .group_policy import clipped_gain, divergence_estimate

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class PortableAnchor:
    """`GroupRelativePolicy` whose penalty is tight where the old policy's behaviour can be reused and loose where it cannot.

    RDB-CL: Hong et al. 2026, "Reasoning Portability: Guiding Continual Learning for MLLMs in the RLVR Era",
    https://arxiv.org/abs/2605.18903. Read from the abstract alone, which gives the direction and no formula: portability is reconstructed
    as the geometric mean of the probabilities that the reference gives to the answer's tokens, and the weight as linear in it.
    """

    clip: float = 0.2
    """Epsilon of the policy gradient."""
    loose: float = 0.0
    """Weight of the penalty on an answer that the reference would never give."""
    tight: float = 0.2
    """On one that it gives for certain."""
    learns_from: LearnsFrom = "all"
    """Every attempt of a group."""
    needs_reference: bool = True
    """Ratios are to the model that training began with."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """The mean over answers of the mean over each answer's tokens."""
        gain = batch.means(clipped_gain(batch.log_probs - batch.reference, batch.advantage, self.clip))
        anchor = anchor_weight(portability(batch), self.loose, self.tight)
        return weighted_mean(anchor * batch.means(divergence_estimate(batch)) - gain, batch.weight)


def portability(batch: ContrastBatch) -> Tensor:
    """Geometric mean probability of each answer's tokens under the reference, in [0, 1] `(n,)`: of 0.5 and 0.125 it is 0.25."""
    return batch.means(batch.reference).exp()


def anchor_weight(portability: Tensor, loose: float, tight: float) -> Tensor:
    """`loose + (tight - loose) portability`, for portabilities of any shape."""
    return loose + (tight - loose) * portability
