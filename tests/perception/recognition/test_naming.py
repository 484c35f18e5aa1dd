from __future__ import annotations

import numpy as np

from lifelong.perception.recognition.naming import PRIOR_WEIGHTS, fit_weights, pooled, shares


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of which only the first kind is any."""
    draw = np.random.default_rng(0)
    columns = draw.normal(size=(count, 4, 3)) * 0.1
    right = draw.integers(4, size=count)
    columns[np.arange(count), right, 0] += 0.15
    return columns, right


def test_shares_are_a_softmax_and_do_not_overflow() -> None:
    columns = np.array([[[1000.0], [1000.0 + np.log(3)]]])
    np.testing.assert_allclose(shares(columns, np.ones(1)), [[0.25, 0.75]])


def test_what_is_evidence_gets_weight_and_what_is_none_loses_it() -> None:
    columns, right = drawn(4000)
    weights = fit_weights(columns, right)
    assert weights[0] > PRIOR_WEIGHTS[0]
    assert weights[2] < 0.3 * PRIOR_WEIGHTS[2]
    assert (weights >= 0).all()
    said = shares(columns, weights)
    assert abs(said.max(axis=1).mean() - (said.argmax(axis=1) == right).mean()) < 0.03, "the chances are calibrated"


def test_few_tasks_stay_near_what_other_data_say() -> None:
    np.testing.assert_array_equal(fit_weights(*(part[:0] for part in drawn(4))), PRIOR_WEIGHTS)
    columns, right = drawn(2)
    np.testing.assert_allclose(fit_weights(columns, right), PRIOR_WEIGHTS, rtol=0.5)


def test_two_opinions_are_averaged() -> None:
    assert pooled(("a", 0.9), ("a", 0.5)) == ("a", 0.7)
    assert pooled(("a", 0.4), ("b", 0.8)) == ("b", 0.4)
    assert pooled(("b", 0.8), ("a", 0.4)) == ("b", 0.4), "whoever speaks first"
