"""Local outlier factors against figures computed by hand, and the steps that are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.learners.navigation.keyframes import adaptive_keyframes, local_outlier_factors, uniform_keyframes

# Five points on a line, two neighbours. By hand (Breunig et al. 2000):
#   distances to the second neighbour   2, 1, 1, 2, 8
#   reachability of 0 from 1 and 2      max(1, 1), max(1, 2), so its density is 1 / 1.5; the same for 1, 2 and 3
#   reachability of 10 from 3 and 2     max(2, 7), max(1, 8), so its density is 1 / 7.5
#   factors                             1, 1, 1, 1, (1 / 1.5) / (1 / 7.5) = 5
LINE = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])


def test_golden_numbers() -> None:
    assert local_outlier_factors(LINE, neighbours=2) == pytest.approx([1, 1, 1, 1, 5])


def test_what_stands_out_is_kept_and_the_first_step_too() -> None:
    assert adaptive_keyframes(LINE, neighbours=2, threshold=1.1).tolist() == [0, 4]
    assert adaptive_keyframes(LINE, neighbours=2, threshold=1.1, share=0.2).tolist() == [0]


def test_a_step_that_repeats_an_earlier_one_is_no_candidate() -> None:
    doubled = np.repeat(LINE, 3, axis=0)
    assert adaptive_keyframes(doubled, neighbours=2, threshold=1.1).tolist() == [0, 12]
    assert adaptive_keyframes(np.zeros((6, 3))).tolist() == [0]


def test_few_steps_are_defined() -> None:
    assert adaptive_keyframes(np.zeros((0, 3))).tolist() == []
    assert adaptive_keyframes(np.zeros((1, 3))).tolist() == [0]
    assert local_outlier_factors(np.array([[0.0], [1.0]])) == pytest.approx([1, 1])


def test_uniform_steps_are_the_contrast() -> None:
    assert uniform_keyframes(8, share=0.5).tolist() == [0, 2, 4, 6]
    assert uniform_keyframes(3, share=0.1).tolist() == [0]
    assert uniform_keyframes(0, share=1.0).tolist() == []


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in (np.array([[np.nan]]), np.zeros(3)):
        with pytest.raises(ValueError, match="features must be finite"):
            local_outlier_factors(wrong)
    with pytest.raises(ValueError, match="neighbours at least 1"):
        local_outlier_factors(LINE, neighbours=0)
    for share in (0.0, 1.5):
        with pytest.raises(ValueError, match="share must be above 0"):
            adaptive_keyframes(LINE, share=share)
        with pytest.raises(ValueError, match="share above 0"):
            uniform_keyframes(3, share=share)


@given(st.integers(0, 40), st.floats(0.05, 1), st.integers(0, 5))
def test_no_more_than_the_share_is_kept_in_order(steps: int, share: float, seed: int) -> None:
    features = np.random.default_rng(seed).integers(0, 3, (steps, 2)).astype(float)
    for kept in (adaptive_keyframes(features, neighbours=3, share=share), uniform_keyframes(steps, share=share)):
        assert len(kept) <= max(1, share * steps)
        assert kept.tolist() == sorted(set(kept.tolist()))
        assert all(0 <= step < steps for step in kept)
