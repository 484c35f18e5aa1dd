"""SPL and soft SPL against figures computed by hand."""

from __future__ import annotations

from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.metrics.navigation import (
    path_efficiency,
    soft_success,
    soft_success_weighted_path_length,
    success_weighted_path_length,
)

# Four episodes. By hand:
#   SPL       (1 * 10/10 + 1 * 10/20 + 0 + 1 * 8/8, as a shorter path than the shortest counts as it) / 4 = 2.5 / 4
#   soft SPL  (1 * 1 + 1 * 0.5 + (1 - 2.5/10) * 10/15 + 1 * 1) / 4                                        = 3.0 / 4
SUCCESSES = [True, True, False, True]
SHORTEST = [10.0, 10.0, 10.0, 8.0]
TAKEN = [10.0, 20.0, 15.0, 6.0]
FINAL = [0.0, 0.0, 2.5, 0.0]


def test_golden_numbers() -> None:
    assert success_weighted_path_length(SUCCESSES, SHORTEST, TAKEN) == pytest.approx(0.625)
    assert soft_success_weighted_path_length(FINAL, SHORTEST, TAKEN) == pytest.approx(0.75)


def test_who_ends_farther_away_than_at_the_start_gets_nothing() -> None:
    assert soft_success(4.0, 9.0) == 0.0
    assert soft_success_weighted_path_length([9.0], [4.0], [5.0]) == 0.0


def test_a_start_at_the_goal_is_defined() -> None:
    assert (path_efficiency(0, 0), path_efficiency(0, 3)) == (1.0, 0.0)
    assert (soft_success(0, 0), soft_success(0, 1)) == (1.0, 0.0)


def test_no_episodes_give_no_number() -> None:
    assert isnan(success_weighted_path_length([], [], []))
    assert isnan(soft_success_weighted_path_length([], [], []))


@pytest.mark.parametrize("wrong", [-1.0, inf, nan])
def test_lengths_that_are_none_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        success_weighted_path_length([True], [wrong], [1.0])
    with pytest.raises(ValueError, match="finite and not negative"):
        soft_success_weighted_path_length([wrong], [1.0], [1.0])


def test_unequal_numbers_of_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        success_weighted_path_length([True], [1.0, 2.0], [1.0])


LENGTH = st.floats(0, 1e6)


@given(st.lists(st.tuples(st.booleans(), LENGTH, LENGTH), min_size=1))
def test_spl_is_between_0_and_the_success_rate(episodes: list[tuple[bool, float, float]]) -> None:
    successes, shortest, taken = zip(*episodes, strict=True)
    assert 0 <= success_weighted_path_length(successes, shortest, taken) <= sum(successes) / len(successes) + 1e-9
