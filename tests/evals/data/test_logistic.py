"""Logistic regression that chooses its own C."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.logistic import chosen_logistic


def test_many_classes_of_many_dimensions_are_fitted_too() -> None:
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(150), 6)
    rows = np.eye(768)[labels] + 0.02 * draw.normal(size=(len(labels), 768))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    model, _ = chosen_logistic(rows, labels)
    assert model.score(rows, labels) == 1.0


def test_one_class_alone_is_refused_and_few_samples_take_the_default() -> None:
    rows, labels = np.eye(16, dtype=np.float32)[np.repeat(np.arange(3), 2)], np.repeat(np.arange(3), 2)
    with pytest.raises(ValueError, match="two classes"):
        chosen_logistic(rows[:2], labels[:2])
    assert chosen_logistic(rows, labels)[1] == 10.0
