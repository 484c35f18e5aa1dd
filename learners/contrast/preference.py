"""Direct preference optimisation: a success before the failure at the same task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .batch import ContrastBatch, LearnsFrom, weighted_mean
from .positives import likelihood_loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class DirectPreference:
    """`-log sigmoid(beta (log-ratio of the success - log-ratio of the failure))`, and some cross-entropy of the success.

    Rafailov et al. 2023, "Direct Preference Optimization", https://arxiv.org/abs/2305.18290, equation 7. The cross-entropy keeps the
    success from becoming less likely with the failure: Pang et al. 2024, "Iterative Reasoning Preference Optimization",
    https://arxiv.org/abs/2404.19733, equation 1, with its token mean.
    """

    beta: float = 0.1
    """How soon a difference is large enough."""
    likelihood: float = 1.0
    """Weight of the cross-entropy; 0 for the first paper's loss alone."""
    learns_from: LearnsFrom = "pairs"
    """Each failure beside its nearest success."""
    needs_reference: bool = True
    """Ratios are to the model that training began with."""

    def loss(self, batch: ContrastBatch) -> Tensor:
        """The mean over pairs."""
        ratios = batch.sums(batch.log_probs - batch.reference)
        preferred = weighted_mean(preference_loss(ratios[0::2], ratios[1::2], self.beta), batch.weight[1::2])
        return preferred + self.likelihood * likelihood_loss(batch.log_probs, batch.answered, batch.weight * batch.success)


def preference_loss(chosen: Tensor, rejected: Tensor, beta: float) -> Tensor:
    """`-log sigmoid(beta (chosen - rejected))` of log-ratios `(n,)`: with 2, -3 and 0.1 it is log(1 + exp(-0.5)) = 0.47408."""
    from torch.nn.functional import logsigmoid

    return -logsigmoid(beta * (chosen - rejected))
