"""The weights of evidence that name a skill: a conditional logistic regression, drawn towards weights known from other data."""

from __future__ import annotations

import numpy as np

from ...numerics.arrays import Floats, Labels

PRIOR_WEIGHTS = np.array([10.0, 0.5, 6.0])
"""Weights of nearest task, Gaussian and ridge on training texts of BANKING77 and CLINC150; few tasks stay near them."""
PRIOR_TASKS = 4.0
"""Tasks whose likelihood weighs as much as the prior."""


def pooled(first: tuple[str, float], second: tuple[str, float]) -> tuple[str, float]:
    """The skill that two recognisers name, and its confidence: the mean of both, where each gives nothing to skills that it does not name.

    A linear opinion pool (Stone 1961, "The opinion pool", https://doi.org/10.1214/aoms/1177704873): one that both name is as sure as
    they are on average; where they differ, the surer one is right and half as sure.
    """
    (name, confidence), (other, other_confidence) = sorted((first, second), key=lambda one: -one[1])
    return name, (confidence + (other_confidence if other == name else 0.0)) / 2


def shares(columns: Floats, weights: Floats) -> Floats:
    """Chance `(n, c)` of each candidate from its evidence `(n, c, m)`: the softmax of the weighted sum."""
    scores = columns @ weights
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def fit_weights(columns: Floats, right: Labels) -> Floats:
    """Weights `(m,)`, none negative, of the greatest likelihood of the right candidates `(n,)` given their evidence `(n, c, m)`.

    McFadden 1974, "Conditional logit analysis of qualitative choice behavior". Without rows the prior is the answer.
    """
    from scipy.optimize import minimize

    if not len(right):
        return PRIOR_WEIGHTS.copy()
    rows, count = np.arange(len(right)), len(right)

    def loss(values: Floats) -> tuple[float, Floats]:
        chances = shares(columns, values * PRIOR_WEIGHTS)
        strain = values - 1
        size = -np.log(np.maximum(chances[rows, right], 1e-300)).mean() + 0.5 * PRIOR_TASKS / count * strain @ strain
        slope = (np.einsum("nc,ncm->nm", chances, columns) - columns[rows, right]).mean(0) * PRIOR_WEIGHTS
        return float(size), slope + PRIOR_TASKS / count * strain

    found = minimize(loss, np.ones(columns.shape[2]), jac=True, method="L-BFGS-B", bounds=[(0, None)] * columns.shape[2])
    return np.asarray(found.x * PRIOR_WEIGHTS)
