from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.evals.data.texts import TextData, Texts
from lifelong.evals.suites.continual.regret import (
    CONTRAST,
    OURS,
    OnlineGradient,
    RecursiveLeastSquares,
    hindsight_bound,
    made_figures,
    made_stream,
    predicted_before,
    text_figures,
)
from lifelong.learners.experimental.heads.recursive_least_squares import log_determinant


def made(each: int, seed: int) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(20), each)
    vectors = np.eye(24)[labels] + 0.05 * draw.normal(size=(len(labels), 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(map(str, labels)), labels=labels, vectors=vectors.astype(np.float32))


def data() -> TextData:
    train, test = made(12, 0), made(5, 1)
    none = train.subset(np.zeros(len(train), dtype=bool))
    outliers = dict.fromkeys(("outliers_train", "outliers_validation", "outliers_test", "sentences"), none)
    return TextData(names=tuple(map(str, range(20))), train=train, validation=none, test=test, **outliers)


def test_the_made_stream_is_what_it_says() -> None:
    stream = made_stream(300, 0)
    assert np.linalg.norm(stream.inputs, axis=1).max() <= 1 + 1e-12
    assert np.linalg.norm(stream.truth) == pytest.approx(1)
    assert not stream.inputs[:, 16:].any(), "a fifth of the directions is never seen"
    assert np.linalg.matrix_rank(stream.inputs[:30]) == 3
    assert np.abs(stream.answers - stream.inputs @ stream.truth).max() <= 0.5
    assert np.array_equal(made_stream(300, 0).answers, stream.answers)


@pytest.mark.parametrize("seed", range(3))
def test_the_bounds_hold_and_the_contrast_does_worse(seed: int) -> None:
    figures = made_figures(600, seed)
    for metric in ("regret", "forgetting"):
        assert 0 < figures[OURS, f"{metric}_over_bound"] < 1
    assert figures[OURS, "regret"] < figures[CONTRAST, "regret"]


def test_a_prediction_comes_before_its_answer() -> None:
    # By hand, r = 1: 0 is predicted first; then w = 2 / (1 + 1) = 1, and the input 3 gives 3.
    predictions, weights = predicted_before(RecursiveLeastSquares(1, 1), np.array([[1.0], [3.0]]), np.array([[2.0], [0.0]]))
    np.testing.assert_allclose(predictions, [[0], [3]])
    np.testing.assert_allclose(weights, [[2 / 11]])
    # The first step is at most 1: w = 2; the second min(1, 1 / sqrt 2): 2 - 0.7071 * 3 * 6.
    _, weights = predicted_before(OnlineGradient(1, 1, 1.0), np.array([[1.0], [3.0]]), np.array([[2.0], [0.0]]))
    np.testing.assert_allclose(weights, [[2 - 18 / 2**0.5]])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), count=st.integers(1, 40))
def test_no_stream_breaks_the_bound_in_hindsight(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    inputs, targets = draw.normal(size=(count, 3)) * draw.choice([0.1, 10], size=(count, 1)), draw.normal(size=(count, 2))
    learner = RecursiveLeastSquares(3, 2)
    predictions, weights = predicted_before(learner, inputs, targets)
    missed = np.sum((targets - predictions) ** 2, axis=1)
    best = np.sum((targets - inputs @ weights) ** 2) + np.sum(weights**2)
    assert missed.sum() - best + 1e-9 >= 0
    assert missed.sum() - best <= hindsight_bound(missed.max(), log_determinant(learner.inverse, 1.0)) + 1e-9


def test_figures_of_a_text_stream() -> None:
    figures = text_figures(data(), 0, quick=True)
    assert 0 < figures[OURS, "regret_over_bound"] < 1
    assert figures[OURS, "last_accuracy"] == 1
    assert figures[OURS, "regret_to_best_ridge"] <= figures[OURS, "regret_to_best_ridge_bound"]
