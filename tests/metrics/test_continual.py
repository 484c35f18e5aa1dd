"""Metrics against figures computed by hand."""

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.metrics.continual import (
    accuracy_matrix,
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    max_forgetting,
    mean_forgetting,
    rolling_mean,
    tokens_per_solved,
)

# Three environments, one night each. By hand:
#   average accuracy   (0.6 + 0.7 + 0.9) / 3                   =  0.7333
#   backward transfer  ((0.6 - 0.8) + (0.7 - 0.7)) / 2         = -0.1
#   forward transfer   ((0.3 - 0.1) + (0.2 - 0.0)) / 2         =  0.2
#   forgetting         0.9 - 0.6 = 0.3 and 0.7 - 0.7 = 0.0; the last one had no time to be forgotten
MATRIX = [
    [0.0, 0.1, 0.0],
    [0.8, 0.3, 0.1],
    [0.9, 0.7, 0.2],
    [0.6, 0.7, 0.9],
]


def test_golden_numbers() -> None:
    assert average_accuracy(MATRIX) == pytest.approx(2.2 / 3)
    assert backward_transfer(MATRIX) == pytest.approx(-0.1)
    assert forward_transfer(MATRIX) == pytest.approx(0.2)
    assert forgetting(MATRIX)[:2] == pytest.approx((0.3, 0.0))
    assert isnan(forgetting(MATRIX)[2])
    assert mean_forgetting(MATRIX) == pytest.approx(0.15)
    assert max_forgetting(MATRIX) == pytest.approx(0.3)


def test_an_environment_may_take_two_nights() -> None:
    matrix = [[0.0, 0.0], [0.4, 0.0], [0.6, 0.2], [0.5, 0.7]]
    assert backward_transfer(matrix, learned=(2, 3)) == pytest.approx(-0.1)
    assert forward_transfer(matrix, first=(1, 3)) == pytest.approx(0.2)
    assert max_forgetting(matrix, learned=(2, 3)) == pytest.approx(0.1)


def test_nothing_learned_before_is_not_a_number() -> None:
    assert isnan(backward_transfer([[0.1], [0.9]]))
    assert isnan(forward_transfer([[0.1], [0.9]]))
    assert isnan(max_forgetting([[0.1], [0.9]]))
    assert average_accuracy([[0.1], [0.9]]) == 0.9


def test_what_was_not_measured_is_left_out() -> None:
    matrix = [[0.0, nan, 0.0], [0.8, nan, nan], [nan, 0.5, nan], [0.6, 0.4, 0.9]]
    assert backward_transfer(matrix) == pytest.approx((-0.2 - 0.1) / 2)
    assert isnan(forward_transfer(matrix))
    assert mean_forgetting(matrix) == pytest.approx((0.2 + 0.1) / 2)


def test_malformed_matrices_are_refused() -> None:
    for matrix in ([], [[0.1, 0.2], [0.3]]):
        with pytest.raises(ValueError, match="same environments"):
            average_accuracy(matrix)
    with pytest.raises(ValueError, match="for each of the 2 environments"):
        forgetting([[0.1, 0.2]], learned=(1,))
    with pytest.raises(ValueError, match="counted from 1"):
        backward_transfer([[0.1, 0.2]], learned=(0, 1))


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=4, max_size=4))
def test_backward_transfer_never_beats_minus_forgetting(matrix: list[list[float]]) -> None:
    # The best earlier row is at least the row after learning, so forgetting is at least minus the transfer.
    assert mean_forgetting(matrix) >= -backward_transfer(matrix) - 1e-12
    assert -1 <= backward_transfer(matrix) <= 1


def test_tokens_per_solved() -> None:
    assert tokens_per_solved(1000, 4) == 250
    assert isnan(tokens_per_solved(1000, 0))


def test_rolling_mean() -> None:
    assert rolling_mean([0, 1, 1, 0], 1) == pytest.approx([0.5, 2 / 3, 2 / 3, 0.5])
    assert rolling_mean([], 3) == []


def test_matrix_from_evaluations() -> None:
    rows = [
        {"night": 0, "environment": "a", "successes": 1, "tasks": 4},
        {"night": 0, "environment": "a", "successes": 2, "tasks": 4},
        {"night": 2, "environment": "b", "successes": 3, "tasks": 4},
    ]
    matrix = accuracy_matrix(rows, ["a", "b"])
    assert matrix[0][0] == 0.375
    assert matrix[2][1] == 0.75
    assert [isnan(value) for row in matrix for value in row] == [False, True, True, True, True, False]
