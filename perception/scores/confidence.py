"""Confidence from logits: five pure formulas, larger is surer in all of them, and the scorers made of them.

The formulas take torch tensors `(..., classes)` and give `(...)`; they can be trained through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np

from ...numerics.arrays import Labels, Logits, Scores, Vector, batched, validate_rows

if TYPE_CHECKING:
    from torch import Tensor


def softmax_confidence(logits: Tensor) -> Tensor:
    """Largest softmax probability, in [1 / classes, 1].

    Hendrycks & Gimpel 2017, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples", https://arxiv.org/abs/1610.02136.
    """
    # Not `softmax().amax()`: the same number without a copy of all probabilities.
    return (logits.amax(-1) - logits.logsumexp(-1)).exp()


def margin_confidence(logits: Tensor) -> Tensor:
    """Largest softmax probability less the second largest, in [0, 1]; 1 where there is one class (Scheffer et al. 2001, "Active Hidden
    Markov Models for Information Extraction", https://doi.org/10.1007/3-540-44816-0_31).
    """
    if logits.shape[-1] < 2:
        return logits.amax(-1) * 0 + 1  # NaN stays NaN
    first, second = logits.topk(2, dim=-1).values.unbind(-1)
    total = logits.logsumexp(-1)
    return (first - total).exp() - (second - total).exp()


def entropy_confidence(logits: Tensor) -> Tensor:
    """Negative entropy of the softmax in nats, in [-ln classes, 0]: `sum p ln p = E[logit] - ln sum exp`.

    Shannon 1948, "A Mathematical Theory of Communication", https://doi.org/10.1002/j.1538-7305.1948.tb01338.x, section 6.
    """
    total = logits.logsumexp(-1)
    return ((logits - total[..., None]).exp() * logits).sum(-1) - total


def maximum_logit_confidence(logits: Tensor) -> Tensor:
    """The largest logit (Hendrycks et al. 2022, "Scaling Out-of-Distribution Detection for Real-World Settings",
    https://arxiv.org/abs/1911.11132).
    """
    return logits.amax(-1)


def energy_confidence(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Negative free energy, `T ln sum exp(logit / T)` (Liu et al. 2020, "Energy-based Out-of-distribution Detection", equation 4,
    https://arxiv.org/abs/2010.03759).
    """
    return logits.logsumexp(-1) if temperature == 1.0 else temperature * (logits / temperature).logsumexp(-1)


class _LogitScorer:
    """A formula over logits, after division by a temperature; there is nothing to fit."""

    _formula: Callable[[Tensor], Tensor]

    def __init__(self, temperature: float = 1.0) -> None:
        if temperature <= 0:
            raise ValueError(f"temperature is {temperature}; it must be above 0")
        self.temperature = temperature

    def fit(self, vectors: Vector, logits: Logits, labels: Labels) -> Self:
        """Nothing is learned; the input is checked."""
        if not len(validate_rows("logits", logits)) == len(labels) > 0:
            raise ValueError(f"{len(logits)} rows of logits and {len(labels)} labels; one label a row and at least one row are needed")
        return self

    def score(self, vectors: Vector, logits: Logits) -> Scores:
        """Confidence `(n,)`, float32."""
        import torch

        rows = validate_rows("logits", logits)
        if rows.shape[1] == 0:
            raise ValueError("logits have no column; a head needs one class at least")
        formula, temperature = type(self)._formula, self.temperature
        if temperature == 1.0:
            return batched(lambda some: formula(torch.from_numpy(some)), rows)
        return batched(lambda some: formula(torch.from_numpy(some) / temperature), rows)


class SoftmaxConfidence(_LogitScorer):
    """Scores by `softmax_confidence`."""

    _formula = staticmethod(softmax_confidence)


class MarginConfidence(_LogitScorer):
    """Scores by `margin_confidence`."""

    _formula = staticmethod(margin_confidence)


class EntropyConfidence(_LogitScorer):
    """Scores by `entropy_confidence`."""

    _formula = staticmethod(entropy_confidence)


class MaximumLogitConfidence(_LogitScorer):
    """Scores by `maximum_logit_confidence`."""

    _formula = staticmethod(maximum_logit_confidence)


class EnergyConfidence(_LogitScorer):
    """Scores by `energy_confidence`."""

    _formula = staticmethod(energy_confidence)


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature with the least cross-entropy on held-out samples, within [0.01, 100].

    Guo et al. 2017, "On Calibration of Modern Neural Networks", https://arxiv.org/abs/1706.04599. The cross-entropy is convex in `1 /
    T`, so that the search finds
    its one minimum. Raises `ValueError` for no samples and for NaN or infinite logits.
    """
    import torch
    from scipy.optimize import minimize_scalar

    rows, targets = torch.from_numpy(validate_rows("logits", logits)).double(), torch.from_numpy(np.asarray(labels, dtype=np.int64))
    if len(rows) != len(targets) or not len(rows):
        raise ValueError(f"{len(rows)} rows of logits and {len(targets)} labels; one label a row and at least one row are needed")
    loss = torch.nn.functional.cross_entropy
    bounds = (np.log(0.01), np.log(100.0))
    found = minimize_scalar(lambda log: float(loss(rows * np.exp(-log), targets)), bounds=bounds, method="bounded")
    return float(np.exp(found.x))
