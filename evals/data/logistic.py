"""Logistic regression that chooses its own regularisation: the plain baseline of several suites."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...numerics.arrays import Labels, Vector

STRENGTHS = (1.0, 10.0, 100.0)
"""Inverse regularisations C that are tried."""
HELD_OUT = 5
"""Every so many-th sample is held out to choose C by its accuracy."""


def chosen_logistic(rows: Vector, labels: Labels) -> tuple[Any, float]:
    """Logistic regression on samples `(n, d)`, and its C among `STRENGTHS`: the one that is right most often on a held-out fifth.

    Where too few samples are there to hold any out of every class, C is 10. Raises `ValueError` for a single class.
    """
    if len(np.unique(labels)) < 2:
        raise ValueError("logistic regression needs two classes at least; give samples of another class")
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        held[np.flatnonzero(labels == label)[HELD_OUT - 1 :: HELD_OUT]] = True
    accuracies = {c: float(_fitted(rows[~held], labels[~held], c).score(rows[held], labels[held])) for c in STRENGTHS} if held.any() else {}
    best = max(accuracies, key=lambda c: accuracies[c]) if accuracies else 10.0
    return _fitted(rows, labels, best), best


def _fitted(rows: Vector, labels: Labels, strength: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # The tolerance is of the gradient's largest entry, which is small from the start where classes are many.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=200, tol=1e-5).fit(rows, labels)
