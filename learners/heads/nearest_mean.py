"""`NearestMeanHead`: the class whose mean is nearest."""

from __future__ import annotations

from ...perception.scores.scorer import unit
from .analytic import AnalyticHead, Answer


class NearestMeanHead(AnalyticHead):
    """Cosine to each class mean, as iCaRL classifies (Rebuffi et al. 2017, "iCaRL", equation 2), with all samples in the mean."""

    def _solve(self) -> Answer:
        directions = unit(self._known().means).T
        return lambda rows: unit(rows) @ directions
