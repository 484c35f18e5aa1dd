"""Group-relative policy gradient with the environment's yes or no as the reward."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batch import ContrastBatch, LearnsFrom, weighted_mean

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-4
"""Added to a group's standard deviation."""


@dataclass(frozen=True, kw_only=True)
class GroupRelativePolicy:
    """Clipped policy gradient whose baseline is the group's mean reward, with a penalty on leaving the reference.

    Shao et al. 2024, "DeepSeekMath", https://arxiv.org/abs/2402.03300, equations 3 and 4. All passes over a night's attempts use the
    ratio to the model that training began with, as the iterations over one batch of rollouts do there (mu in algorithm 1). trl's trainer
    generates its own rollouts between the steps; these come from the environment and under its grammar, so the formula is used here and
    compared with trl's.
    """

    clip: float = 0.2
    """Epsilon: how far a token's probability ratio may move before its gradient ends."""
    beta: float = 0.04
    """Weight of the penalty."""
    learns_from: LearnsFrom = "all"
    """Every attempt of a group."""
    needs_reference: bool = True
    """Ratios are to the model that training began with."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """The mean over answers of the mean over each answer's tokens."""
        gain = batch.means(clipped_gain(batch.log_probs - batch.reference, batch.advantage, self.clip))
        return weighted_mean(self.beta * batch.means(divergence_estimate(batch)) - gain, batch.weight)


def group_advantages(rewards: Sequence[float]) -> list[float]:
    """Rewards of the attempts at one task, less their mean, in sample standard deviations; zeros where all are equal.

    >>> [round(value, 4) for value in group_advantages([1.0, 0.0, 0.0, 0.0])]
    [1.4997, -0.4999, -0.4999, -0.4999]
    """
    if len(rewards) < 2:
        return [0.0] * len(rewards)
    mean, deviation = statistics.fmean(rewards), statistics.stdev(rewards)
    return [(reward - mean) / (deviation + TINY) for reward in rewards]


def clipped_gain(log_ratio: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """`min(r A, clamp(r, 1 - clip, 1 + clip) A)` for each token `(n, length)`: a ratio of 1.5 with A = 2 and clip 0.2 gives 2.4."""
    from torch import minimum

    ratio, each = log_ratio.exp(), advantage[:, None]
    return minimum(ratio * each, ratio.clamp(1.0 - clip, 1.0 + clip) * each)


def divergence_estimate(batch: ContrastBatch) -> Tensor:
    """Estimate of the divergence from the reference at each token, `exp(d) - d - 1` with `d = reference - log_prob`, never negative.

    Schulman 2020, "Approximating KL Divergence", http://joschu.net/blog/kl-approx.html, k3.
    """
    difference = batch.reference - batch.log_probs
    return difference.exp() - difference - 1.0
