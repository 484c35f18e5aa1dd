"""`StreamingLDAHead`: linear discriminant analysis, sample by sample."""

from __future__ import annotations

from ._analytic import AnalyticHead, Answer, discriminant


class StreamingLDAHead(AnalyticHead):
    """Class means and one covariance (Hayes and Kanan 2020, "Lifelong Machine Learning with Deep Streaming LDA").

    Where the paper runs means and covariance along, sums are kept: the same quantities, and they can be taken back.
    """

    def __init__(self, *, shrinkage: float = 1e-2) -> None:
        super().__init__()
        self.shrinkage = shrinkage

    def _solve(self) -> Answer:
        return discriminant(self._known(), self.shrinkage)
