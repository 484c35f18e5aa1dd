"""Statistics of classes, by hand."""

from __future__ import annotations

import numpy as np

from lifelong.numerics.class_statistics import ClassStatistics

# Two classes around (0, 0) and (4, 0); around the means the variance is 1 on the first axis and 4 on the second.
CROSS = np.array([[1, 0], [-1, 0], [0, 2], [0, -2]], dtype=np.float32) * np.sqrt(2).astype(np.float32)


VECTORS = np.concatenate([CROSS, CROSS + np.array([4, 0], dtype=np.float32)])


LABELS = np.array([0] * 4 + [1] * 4)


def test_moments_golden() -> None:
    moments = ClassStatistics.from_samples(VECTORS, LABELS)
    np.testing.assert_allclose(moments.means, [[0, 0], [4, 0]], atol=1e-6)
    np.testing.assert_allclose(moments.within(), [[1, 0], [0, 4]], atol=1e-6)
    np.testing.assert_allclose(moments.total(), [[5, 0], [0, 4]], atol=1e-6)
