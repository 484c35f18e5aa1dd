"""What an objective is given, `ContrastBatch`, and what it is, `ContrastObjective`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor

LearnsFrom = Literal["successes", "pairs", "all"]
"""Which rows a batch holds: successes alone; each failure after the success nearest to it, at even and odd places; or all answers."""


@dataclass(frozen=True, kw_only=True)
class ContrastBatch:
    """Answers `n` long at most `length` tokens, and what two models give to them; padding is zero."""

    log_probs: Tensor
    """Natural-log probability of each answer token `(n, length)` under the model that is trained."""
    reference: Tensor
    """The same under the model that training began with, without a gradient `(n, length)`; zero where the objective needs none."""
    answered: Tensor
    """Which positions hold a token, 1.0 or 0.0 `(n, length)`."""
    success: Tensor
    """Which answers succeeded, bool `(n,)`."""
    weight: Tensor
    """Trust in that, in (0, 1] `(n,)`."""
    advantage: Tensor
    """How much better an answer was than the others at its task, in standard deviations `(n,)`."""
    divergence: Tensor
    """Position of a failure's first token that its nearest success does not have, -1 where there is none `(n,)`."""

    def sums(self, values: Tensor) -> Tensor:
        """Sum over each answer's tokens `(n,)`."""
        return (values * self.answered).sum(-1)

    def means(self, values: Tensor) -> Tensor:
        """Mean over each answer's tokens `(n,)`."""
        return self.sums(values) / self.answered.sum(-1).clamp(min=1.0)


class ContrastObjective(Protocol):
    """What is minimised over the adapter's matrices."""

    @property
    def learns_from(self) -> LearnsFrom:
        """Which rows its batches hold."""

    @property
    def needs_reference(self) -> bool:
        """Whether it compares with the model that training began with."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """A scalar, the mean over the batch."""


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of `values` `(n,)` under weights `(n,)`; zero where all weights are."""
    mean: Tensor = (values * weight).sum() / weight.sum().clamp(min=1e-8)
    return mean
