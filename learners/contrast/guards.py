"""When training on contrasts is stopped: the model drifts from where it began, or what was confirmed becomes less likely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Guards:
    """Bounds that training must keep; at the first look that finds one broken it ends at the last look that did not."""

    max_drift: float = 0.5
    """Most divergence from the model that training began with, in nats a token, on texts that are not trained on."""
    max_fall: float = 0.5
    """Most that the mean log-probability of a confirmed answer's token may have fallen, in nats.

    Where a failure is pushed away, the success beside it can sink with it (Razin et al. 2024, "Unintentional Unalignment: Likelihood
    Displacement in Direct Preference Optimization", https://arxiv.org/abs/2410.08847)."""
    every: int = 8
    """Steps from one look to the next."""


def broken(guards: Guards, drift: float, falls: Sequence[float]) -> str:
    """Which bound is broken, in words; empty where none is.

    `falls` are how much less likely the confirmed answers of the steps since the last look were than at the beginning, in nats a token.

    >>> broken(Guards(max_drift=0.5), 0.75, [])
    'drift: 0.75 nats a token from the model that training began with, more than 0.5'
    """
    if not math.isfinite(drift) or not all(map(math.isfinite, falls)):
        return "divergence: what the model says is no number any more"
    if drift > guards.max_drift:
        return f"drift: {drift:.3g} nats a token from the model that training began with, more than {guards.max_drift:g}"
    fall = sum(falls) / len(falls) if falls else 0.0
    if fall > guards.max_fall:
        return f"collapse: confirmed answers lost {fall:.3g} nats a token, more than {guards.max_fall:g}"
    return ""


def mean_divergence(now: Tensor, before: Tensor) -> float:
    """Mean over tokens of KL(now || before), in nats, from log-probabilities `(tokens, vocabulary)` of both; 0 for no token.

    KL of (1/2, 1/2) from (3/4, 1/4) is 0.14384.
    """
    if not len(now):
        return 0.0
    each: Any = (now.exp() * (now - before)).sum(-1)
    return float(each.mean())
