"""Evidence of failure."""

from __future__ import annotations

import math

import numpy as np

from lifelong.perception.experimental.classifier.evidence_model import failure_columns
from lifelong.perception.experimental.classifier.head_ensemble import HeadOutputs


def test_failure_columns_golden() -> None:
    chances = np.array([[0.5, 0.25, 0.25]])
    outputs = HeadOutputs(probabilities=chances, energy=np.zeros(1), outlier=np.zeros(1), inlier=np.zeros(1))
    # Log odds of 1 - 0.5 and of 1 - (0.5 - 0.25) = 0.75.
    np.testing.assert_allclose(failure_columns(outputs), [[0, math.log(3)]], atol=1e-6)
