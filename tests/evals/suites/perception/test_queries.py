"""Questions: every strategy from one start, and what an answer is worth."""

from __future__ import annotations

import numpy as np
import pytest
from made.open_set_texts import made

from lifelong.evals.data.partly_known import PartlyKnown
from lifelong.evals.suites.perception import queries as module


def test_every_strategy_is_asked_as_much_and_gains_are_differences() -> None:
    train, test = made(120, False, 0), made(40, False, 1)
    labelled = (train.labels < 3) & (np.arange(120) < 48)
    problem = PartlyKnown(
        known_vectors=train.vectors[labelled],
        known_labels=train.labels[labelled],
        vectors=train.vectors[~labelled],
        labels=train.labels[~labelled],
        test_vectors=test.vectors,
        test_labels=test.labels,
        known=3,
        count=8,
    )
    figures = module.measure(problem, 0, rounds=1, questions=6)
    for method in module.STRATEGIES:
        before, after = figures[method, "new_class_accuracy_after_0"], figures[method, "new_class_accuracy_after_6"]
        assert figures[method, "new_class_accuracy_gained_per_6_questions"] == pytest.approx(after - before)
        assert figures[method, "new_class_accuracy_mean_over_rounds"] == after
        assert before == figures["random", "new_class_accuracy_after_0"], "all begin from one discovery"
        if method != "lifelong":
            gain = figures["lifelong", f"new_class_accuracy_mean_gain_over_{method}"]
            assert gain == pytest.approx(figures["lifelong", "new_class_accuracy_after_6"] - after)
