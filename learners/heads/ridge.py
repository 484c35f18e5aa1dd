"""`RidgeHead`: least squares to one-hot labels."""

from __future__ import annotations

import numpy as np

from ...numerics.arrays import Floats
from .analytic import AnalyticHead, LogitFunction


def ridge_answer(gram: Floats, sums: Floats, regularisation: float) -> LogitFunction:
    """What answers with `x' (G + r I)^-1 Q`, `G` `(d, d)` the sum of `x x'` and `Q'` `(classes, d)` the classes' sums.

    It is factored once and solved on the side that is smaller, the questions or the classes: so a new class costs the same
    whatever the number of the others.
    """
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(gram + regularisation * np.eye(len(gram)), check_finite=False)
    kept: list[Floats] = []

    def answer(rows: Floats) -> Floats:
        # Once the classes' side is solved, a product is cheaper than any solution.
        if len(rows) < len(sums) and not kept:
            return np.asarray(cho_solve(factor, rows.T, check_finite=False).T @ sums.T)
        if not kept:
            kept.append(cho_solve(factor, sums.T, check_finite=False))
        return np.asarray(rows @ kept[0])

    return answer


class RidgeHead(AnalyticHead):
    """Ridge regression to one-hot labels (Hoerl and Kennard 1970, "Ridge Regression: Biased Estimation for Nonorthogonal Problems",
    https://doi.org/10.1080/00401706.1970.10488634), without an intercept; the batch form of recursive least squares.
    """

    def __init__(self, *, regularisation: float = 1.0) -> None:
        super().__init__()
        self.regularisation = regularisation

    def _solve(self) -> LogitFunction:
        moments = self._known()
        return ridge_answer(moments.gram, moments.sums, self.regularisation)
