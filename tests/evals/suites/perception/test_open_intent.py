"""Open-intent classification: the unknown are one class more."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.seeded import Rate
from lifelong.evals.data.texts import TextData
from lifelong.evals.suites.perception import open_intent as perception_open_intent
from lifelong.evals.suites.perception.classifiers import full_split, subset_split


def test_open_intent_counts_the_unknown_as_one_class(data: TextData) -> None:
    split = subset_split(full_split(data), 2)
    known = (split.test.labels, np.zeros(len(split.test), dtype=bool))
    # All 24 known ones are named and half of the ten unknown ones are found: F1 of the open class 2 * 5 / 15.
    unknown = (np.zeros(10, dtype=np.int64), np.arange(10) < 5)
    figures = perception_open_intent._figures("x", split, known, unknown)
    assert figures["x", "open_accuracy"] == Rate(hits=29, trials=34)
    assert figures["x", "open_macro_f1"] == pytest.approx((24 / 29 + 1 + 2 / 3) / 3)
