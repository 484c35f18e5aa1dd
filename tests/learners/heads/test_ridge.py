"""The ridge head's formula, by hand, and that it forgets exactly."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import (
    Head,
    KernelLDAHead,
    NearestMeanHead,
    RanPACHead,
    RidgeHead,
    StreamingLDAHead,
)

SMALL = {"features": 40, "hidden": 16}


def small(member: type) -> Callable[[], Head]:
    """Makes a member with few features, where it has any."""
    parameters = inspect.signature(member).parameters
    return lambda: member(**{name: value for name, value in SMALL.items() if name in parameters})


def test_ridge_golden() -> None:
    # By hand: G = diag(2, 1), r = 1, sums (2, 0) and (0, 1): W = diag(2/3, 1/2).
    head = RidgeHead(regularisation=1.0)
    head.learn(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32), np.array([4, 4, 9]))
    np.testing.assert_allclose(head.logits(np.eye(2, dtype=np.float32)), [[2 / 3, 0], [0, 1 / 2]], atol=1e-12)
    np.testing.assert_allclose(head.logits(np.eye(2, dtype=np.float32)[:1]), [[2 / 3, 0]], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(2, 40), gone=st.integers(1, 20), scale=st.sampled_from([1e-3, 1.0, 30.0]))
def test_learning_then_unlearning_is_the_identity(seed: int, rows: int, gone: int, scale: float) -> None:
    draw = np.random.default_rng(seed)
    vectors = (scale * draw.normal(size=(rows + gone, 5))).astype(np.float32)
    labels = draw.integers(0, 4, rows + gone)
    for make in (NearestMeanHead, StreamingLDAHead, RidgeHead, small(KernelLDAHead), small(RanPACHead)):
        head, never = make(), make()
        head.learn(vectors, labels)
        head.unlearn(vectors[rows:], labels[rows:])
        never.learn(vectors[:rows], labels[:rows])
        assert np.array_equal(head.labels, never.labels)
        expected = never.logits(vectors)
        np.testing.assert_allclose(head.logits(vectors), expected, atol=1e-5 * max(1.0, np.abs(expected).max()))
