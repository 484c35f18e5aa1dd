"""Novelty by neighbours, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.perception import (
    NearestNeighbourNovelty,
)

NO_LOGITS = np.zeros((2, 0), dtype=np.float32)


def test_neighbours_golden() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    point = np.array([[0, 2]], dtype=np.float32)
    for k, novelty in ((1, 0.2), (2, 1.0), (3, 1.0), (9, 1.0)):
        assert NearestNeighbourNovelty(k).fit(vectors, NO_LOGITS, np.arange(3)).score(point, NO_LOGITS) == pytest.approx(
            [novelty], abs=1e-6
        )
    with pytest.raises(ValueError, match="at least 1"):
        NearestNeighbourNovelty(0)
