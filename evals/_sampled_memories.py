"""Baselines that sleep on other memories: class Gaussians, and plain product-quantised samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..learners import ReplayHead
from ..learners._gradient import Rows
from ..perception import ClassMoments
from ..perception.scorer import Labels


class GaussianMemoryHead(ReplayHead):
    """Keeps class means and one covariance, and fits a softmax head to samples drawn from them (the refinement of DESIRE)."""

    def __init__(self, *, draws: int = 100, epochs: int = 12, seed: int = 0) -> None:
        super().__init__(per_class=None, epochs=epochs, seed=seed)
        self.draws = draws

    def _fit(self, rows: Rows, labels: Labels) -> None:
        self._moments = getattr(self, "_moments", None) or ClassMoments(rows.shape[1])
        self._moments.learn(rows, labels)
        draw = np.random.default_rng(self.seed)
        variances, directions = np.linalg.eigh(self._moments.within())
        root = directions * np.sqrt(np.maximum(variances, 0))
        means = np.repeat(self._moments.means, self.draws, axis=0)
        samples = means + draw.normal(size=means.shape) @ root.T
        for name in ("kept", "kept_labels"):
            self._arrays.pop(name, None)
        super()._fit(samples.astype(np.float32), np.repeat(self._moments.labels, self.draws))

    def state(self) -> dict[str, Any]:
        """Means and the covariance: what is kept, in float32 and once above its diagonal."""
        return {"labels": self.labels, "means": self._moments.means, "second": self._moments.within()}


class QuantisedReplayHead(ReplayHead):
    """Keeps all samples as product-quantised codes of 48 bytes, with codebooks from the first group (SIESTA's memory)."""

    def __init__(self, *, code_bytes: int = 48, epochs: int = 12, seed: int = 0) -> None:
        super().__init__(per_class=None, epochs=epochs, seed=seed)
        self.code_bytes = code_bytes

    def _fit(self, rows: Rows, labels: Labels) -> None:
        import faiss

        if not hasattr(self, "_quantiser"):
            self._quantiser: Any = faiss.ProductQuantizer(rows.shape[1], self.code_bytes, 8)
            self._quantiser.train(np.ascontiguousarray(np.tile(rows, (-(-9984 // len(rows)), 1))))
        known = len(self._arrays.get("kept", ()))
        super()._fit(rows, labels)
        fresh = np.ascontiguousarray(self._arrays["kept"][known:])
        self._arrays["kept"][known:] = self._quantiser.decode(self._quantiser.compute_codes(fresh))

    def state(self) -> dict[str, Any]:
        """Codes and codebooks, as they are counted."""
        count = len(self._arrays["kept"]) * self.code_bytes
        return {"codes": np.zeros(count // 4, np.float32), "codebooks": np.zeros(256 * self._dimensions, np.float32)}  # type: ignore[operator]
