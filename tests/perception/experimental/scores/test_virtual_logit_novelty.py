"""The virtual logit, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from lifelong.checks.scorer import example_samples
from lifelong.perception import (
    VirtualLogitNovelty,
)


def test_virtual_logit_matches_the_paper_step_by_step() -> None:
    vectors, _, labels = example_samples(3)
    weights, bias = np.random.default_rng(0).normal(size=(3, 12)), np.array([1.0, -2.0, 0.5])
    logits = vectors @ weights.T + bias
    origin = -np.linalg.pinv(weights) @ bias
    values, directions = np.linalg.eigh((vectors - origin).T @ (vectors - origin))
    residual = directions[:, np.argsort(values)[: 12 - 4]]

    def virtual(rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm((rows - origin) @ residual, axis=1))

    alpha = logits.max(1).mean() / virtual(vectors).mean()
    fresh = example_samples(4)[0]
    outputs = fresh @ weights.T + bias
    expected = alpha * virtual(fresh) - logsumexp(outputs, axis=1)
    scores = VirtualLogitNovelty(principal=4).fit(vectors, logits.astype(np.float32), labels).score(fresh, outputs.astype(np.float32))
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="no residual"):
        VirtualLogitNovelty(principal=12).fit(vectors, logits.astype(np.float32), labels)
