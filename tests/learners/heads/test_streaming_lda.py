"""The streaming discriminant, by hand."""

from __future__ import annotations

import numpy as np

from lifelong.learners import (
    StreamingLDAHead,
)


def test_discriminant_golden() -> None:
    # By hand: means 0 and 4, mean 2, variance 1 in the first column and 3 in the second, shrunk by half: diag(1.5, 2.5).
    corners = np.array([[-1, 1], [1, 1], [-1, -1], [1, -1]]) * np.sqrt([1, 3])
    rows = np.concatenate([corners, corners + np.array([4, 0])])
    head = StreamingLDAHead(shrinkage=0.5)
    head.learn(rows.astype(np.float32), np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    logits = head.logits(np.array([[3, 7]], dtype=np.float32))
    # (x - 2)'S^-1 (m - 2) - (m - 2)'S^-1 (m - 2) / 2 = -+ 2 / 1.5 - 4 / 3
    np.testing.assert_allclose(logits, [[-2 / 1.5 - 4 / 3, 2 / 1.5 - 4 / 3]], atol=1e-5)
