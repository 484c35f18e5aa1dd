"""What is minimised: imitation with inflection weights, distillation of features, and the same imitation on stored features.

Shapes: B episodes, T steps, A actions, D features. `valid` `(B, T)` is 1 for a step and 0 for what fills a shorter episode up. Each loss is
a mean over an episode's steps, then over episodes, as in C-NAV's 1/L.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...numerics.arrays import Floats

if TYPE_CHECKING:
    from torch import Tensor

INFLECTION_WEIGHT = 3.48
"""Weight of a step at which the action changes, as C-NAV sets it."""


def inflection_weights(actions: Sequence[int], *, weight: float = INFLECTION_WEIGHT) -> Floats:
    """`weight` for a step whose action is another than the one before, and for the first; 1 for all others. `(T,)`.

    Wijmans et al. 2019, "Embodied Question Answering in Photorealistic Environments with Point Cloud Perception",
    https://arxiv.org/abs/1904.03461, section 4: long runs of one action would else outweigh the turns that matter.
    """
    given = np.asarray(actions, dtype=np.int64)
    changes = np.ones(len(given), dtype=bool)
    changes[1:] = given[1:] != given[:-1]
    return np.where(changes, weight, 1.0)


def imitation_loss(logits: Tensor, actions: Tensor, weights: Tensor, valid: Tensor) -> Tensor:
    """-1/L sum_t w_t log pi(a_t | h_1:t); C-NAV's feature replay where the logits come from stored features.

    `logits` `(B, T, A)`, `actions` `(B, T)` whole numbers, `weights` `(B, T)`.
    """
    chosen = logits.log_softmax(-1).gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    return _episode_mean(-weights * chosen, valid)


def feature_distillation_loss(new: Tensor, old: Tensor, valid: Tensor) -> Tensor:
    """1/L sum_t ||f_old(o_t) - f_new(o_t)||^2 of aligned features `(B, T, D)`; the old ones are constants (C-NAV's L_KD)."""
    return _episode_mean((new - old.detach()).square().sum(-1), valid)


def policy_distillation_loss(new: Tensor, old: Tensor, valid: Tensor) -> Tensor:
    """-1/L sum_t sum_a p_old(a) log p_new(a), of logits `(B, T, A)`; the old ones are constants.

    Li and Hoiem 2016, "Learning without Forgetting", https://arxiv.org/abs/1606.09282, equation 2, temperature 1.
    """
    return _episode_mean(-(old.detach().softmax(-1) * new.log_softmax(-1)).sum(-1), valid)


def _episode_mean(values: Tensor, valid: Tensor) -> Tensor:
    return ((values * valid).sum(1) / valid.sum(1).clamp(min=1)).mean()
