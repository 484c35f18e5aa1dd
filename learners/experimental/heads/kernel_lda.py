"""`KernelLDAHead`: linear discriminant analysis in the features of a Gaussian kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Floats
from ...heads.analytic import AnalyticHead, LogitFunction, discriminant


class KernelLDAHead(AnalyticHead):
    """Random Fourier features of `exp(-gamma |x - y|^2)` and one covariance (Momeni et al. 2025, "Continual Learning Using a
    Kernel-Based Method Over Foundation Models", KLDA, https://arxiv.org/abs/2412.15571; Rahimi and Recht 2007, "Random Features for
    Large-Scale Kernel Machines").
    """

    def __init__(self, *, features: int = 2000, gamma: float = 1.0, shrinkage: float = 1e-2, seed: int = 0) -> None:
        super().__init__()
        self.features, self.gamma, self.shrinkage, self.seed = features, gamma, shrinkage, seed

    def _begin(self, dimensions: int) -> None:
        draw = np.random.default_rng(self.seed)
        self._frequencies = draw.normal(scale=np.sqrt(2 * self.gamma), size=(dimensions, self.features))
        self._phases = draw.uniform(0, 2 * np.pi, size=self.features)
        super()._begin(dimensions)

    def _features(self, rows: NDArray[np.float32]) -> Floats:
        return np.asarray(np.sqrt(2 / self.features) * np.cos(rows.astype(np.float64) @ self._frequencies + self._phases))

    def _solve(self) -> LogitFunction:
        return discriminant(self._known(), self._known().within(), self.shrinkage)
