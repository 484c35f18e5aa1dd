"""The cue model: shares, bounds and costs."""

from __future__ import annotations

import numpy as np

from lifelong.memory.cues.model import LARGEST, bits, bounds, rounded, shares
from lifelong.memory.cues.range_coding import TOTAL


def test_shares_are_those_of_the_bounds_and_fill_the_whole() -> None:
    draw = np.random.default_rng(0)
    codes, quarters = draw.integers(-LARGEST, LARGEST + 1, 200), draw.integers(-60, 61, 200)
    deviations = draw.integers(0, 64, 200).astype(np.uint8)
    ends = bounds(quarters, deviations)
    start, size = shares(codes, quarters, deviations)
    assert np.array_equal(ends[np.arange(200), codes + LARGEST], start)
    assert np.array_equal(np.diff(ends)[np.arange(200), codes + LARGEST], size)
    assert size.min() >= 1
    assert (ends[:, 0] == 0).all()
    assert (ends[:, -1] == TOTAL).all()


def test_rounding_and_cost_golden() -> None:
    # By hand: floor(|t| + 0.47) with the sign of t; a code in the middle of a narrow Gaussian costs next to nothing.
    assert rounded(np.array([0.52, 0.54, -1.6, 40.0])).tolist() == [0, 1, -2, LARGEST]
    narrow, wide = np.zeros(1, dtype=np.uint8), np.full(1, 63, dtype=np.uint8)
    at_mean, far = np.array([2]), np.array([-2])
    assert bits(at_mean, np.array([8]), narrow) < 0.01
    assert bits(far, np.array([8]), narrow) == 15
    assert 4.8 < bits(at_mean, np.array([0]), wide) < 7.5
