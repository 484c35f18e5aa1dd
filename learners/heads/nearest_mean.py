"""`NearestMeanHead`: the class whose mean is nearest."""

from __future__ import annotations

from ...numerics.arrays import l2_normalize
from .analytic import AnalyticHead, LogitFunction


class NearestMeanHead(AnalyticHead):
    """Cosine to each class mean, as iCaRL classifies (Rebuffi et al. 2017, "iCaRL: Incremental Classifier and Representation Learning",
    equation 2, https://arxiv.org/abs/1611.07725), with all samples in the mean.
    """

    def _solve(self) -> LogitFunction:
        directions = l2_normalize(self._known().means).T
        return lambda rows: l2_normalize(rows) @ directions
