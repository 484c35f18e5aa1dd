"""`StreamingLDAHead`: linear discriminant analysis, sample by sample."""

from __future__ import annotations

import numpy as np

from ...numerics.arrays import Floats
from .analytic import AnalyticHead, LogitFunction, discriminant


class StreamingLDAHead(AnalyticHead):
    """Class means and one covariance (Hayes and Kanan 2020, "Lifelong Machine Learning with Deep Streaming Linear Discriminant
    Analysis", https://arxiv.org/abs/1909.01520).

    Where the paper runs means and covariance along, sums are kept: the same quantities, and they can be taken back.
    `shrinkage` is the share of the identity in the covariance; None takes it from the samples, so that few of them are enough.
    """

    def __init__(self, *, shrinkage: float | None = 1e-2) -> None:
        super().__init__()
        self.shrinkage = shrinkage

    def _solve(self) -> LogitFunction:
        moments = self._known()
        within, share = moments.within(), self.shrinkage
        if share is None:
            share = oracle_shrinkage(within, float(moments.counts.sum()) - len(moments.labels))
        return discriminant(moments, within, share)


def oracle_shrinkage(covariance: Floats, samples: float) -> float:
    """The share of the identity that comes nearest to the true covariance for Gaussian samples, in [0, 1].

    Chen et al. 2010, "Shrinkage Algorithms for MMSE Covariance Estimation", equation 23 (OAS), https://arxiv.org/abs/0907.4698: with `p`
    dimensions and `n` samples
    around their means, `((1 - 2/p) tr S^2 + tr^2 S) / ((n + 1 - 2/p) (tr S^2 - tr^2 S / p))`; 1 where there is no sample to tell.
    """
    p = len(covariance)
    square, trace = float(np.vdot(covariance, covariance)), float(np.trace(covariance))
    excess = (samples + 1 - 2 / p) * (square - trace**2 / p)
    # Rounding alone lies below the trace's own last digits: there the covariance is a multiple of the identity.
    if samples < 1 or excess <= np.finfo(np.float64).eps * trace**2:
        return 1.0
    return min(1.0, ((1 - 2 / p) * square + trace**2) / excess)
