from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import RecursiveLeastSquaresHead, RidgeHead
from lifelong.learners.experimental.heads.recursive_least_squares import (
    forgetting_bound,
    log_determinant,
    lyapunov_bound,
    regret_bound,
    updated,
)


def made(seed: int, count: int, dimensions: int = 6, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(count, dimensions)).astype(np.float32), draw.integers(0, classes, count)


def test_an_update_golden() -> None:
    # By hand: r = 1, x = (1, 2), y = 3. P = I - x x' / (1 + 5), w = P x 3 = (1/2, 1).
    inverse, weights = updated(np.eye(2), np.zeros((2, 1)), np.array([[1.0, 2.0]]), np.array([[3.0]]))
    np.testing.assert_allclose(inverse, [[5 / 6, -1 / 3], [-1 / 3, 1 / 3]])
    np.testing.assert_allclose(weights, [[0.5], [1.0]])
    back = updated(inverse, weights, np.array([[1.0, 2.0]]), np.array([[3.0]]), -1.0)
    np.testing.assert_allclose(back[0], np.eye(2), atol=1e-12)
    np.testing.assert_allclose(back[1], 0, atol=1e-12)
    # det(I + x x') = 1 + |x|^2 = 6.
    assert log_determinant(inverse, 1.0) == pytest.approx(np.log(6))
    assert log_determinant(np.eye(2) / 3, 3.0) == pytest.approx(0)


def test_bounds_golden() -> None:
    # By hand: r |theta|^2 = 2 * 9 = 18, b^2 (4 ln e + 3) = 0.25 * 7 = 1.75; 1 + 1/2 doubled is 3.
    known = {"regularisation": 2.0, "length": 3.0, "noise": 0.5, "delta": float(np.exp(-1))}
    assert lyapunov_bound(3.0, **known) == pytest.approx(19.75)
    assert regret_bound(3.0, **known) == pytest.approx(59.25)
    assert forgetting_bound(3.0, 10, **known) == pytest.approx(1.975)
    with pytest.raises(ValueError, match="delta is 1"):
        lyapunov_bound(3.0, **{**known, "delta": 1.0})


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), count=st.integers(1, 30), regularisation=st.sampled_from([0.1, 1.0, 10.0]))
def test_lyapunov_identity_holds_on_any_stream(seed: int, count: int, regularisation: float) -> None:
    draw = np.random.default_rng(seed)
    theta, inverse, weights = draw.normal(size=(3, 1)), np.eye(3) / regularisation, np.zeros((3, 1))
    left, right = 0.0, regularisation * float(np.sum(theta**2))
    for _ in range(count):
        row = draw.normal(size=(1, 3)) * draw.choice([0.0, 1.0, 5.0], size=(1, 3))
        noise = draw.uniform(-1, 1)
        error = float((row @ (theta - weights)).item())
        share = 1 / (1 + float((row @ inverse @ row.T).item()))
        left += share * error**2
        right += (1 - share) * noise**2 - 2 * share * error * noise
        inverse, weights = updated(inverse, weights, row, row @ theta + noise)
    missed = theta - weights
    assert left + float((missed.T @ np.linalg.solve(inverse, missed)).item()) == pytest.approx(right, rel=1e-6, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), count=st.integers(1, 90), parts=st.integers(1, 6), regularisation=st.sampled_from([0.1, 1.0, 10.0]))
def test_it_is_ridge_regression_in_any_order(seed: int, count: int, parts: int, regularisation: float) -> None:
    vectors, labels = made(seed, count)
    whole, recursive = RidgeHead(regularisation=regularisation), RecursiveLeastSquaresHead(regularisation=regularisation)
    whole.learn(vectors, labels)
    for some in np.array_split(np.random.default_rng(seed + 1).permutation(count), parts):
        recursive.learn(vectors[some], labels[some])
    assert np.array_equal(recursive.labels, whole.labels)
    np.testing.assert_allclose(recursive.logits(vectors), whole.logits(vectors), atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(1, 30), gone=st.integers(1, 20))
def test_unlearning_is_never_having_learned(seed: int, rows: int, gone: int) -> None:
    vectors, labels = made(seed, rows + gone)
    head, never = RecursiveLeastSquaresHead(), RecursiveLeastSquaresHead()
    head.learn(vectors, labels)
    head.unlearn(vectors[rows:], labels[rows:])
    never.learn(vectors[:rows], labels[:rows])
    assert np.array_equal(head.labels, never.labels)
    np.testing.assert_allclose(head.logits(vectors), never.logits(vectors), atol=1e-8)


def test_what_cannot_have_been_learned_is_refused() -> None:
    vectors, labels = made(0, 20)
    head = RecursiveLeastSquaresHead()
    head.learn(vectors, labels)
    before = head.logits(vectors)
    with pytest.raises(ValueError, match="never learned"):
        head.unlearn(100 * vectors[:1], labels[:1])
    assert np.array_equal(head.logits(vectors), before)
    with pytest.raises(ValueError, match="above 0"):
        RecursiveLeastSquaresHead(regularisation=0.0)
