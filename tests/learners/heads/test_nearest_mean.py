"""The nearest class mean by cosine."""

from __future__ import annotations

import numpy as np

from lifelong.learners import NearestMeanHead

ROWS = np.array([[1, 0], [3, 0], [0, 1], [0, 5]], dtype=np.float32)


def test_logits_are_cosines_to_the_means() -> None:
    head = NearestMeanHead()
    head.learn(ROWS, np.array([4, 4, 9, 9]))
    asked = np.array([[10, 0], [3, 4], [0, 0]], dtype=np.float32)
    assert np.allclose(head.logits(asked), [[1, 0], [0.6, 0.8], [0, 0]])
    assert head.predict(asked[:2]).tolist() == [4, 9]


def test_all_samples_are_in_the_mean_and_can_leave_it() -> None:
    head = NearestMeanHead()
    head.learn(ROWS, np.zeros(4, dtype=np.int64))
    assert np.allclose(head.logits(np.array([[1, 1.5]], dtype=np.float32)), 1), "the mean is (1, 1.5)"
    head.unlearn(ROWS[2:], np.zeros(2, dtype=np.int64))
    assert np.allclose(head.logits(np.array([[1, 0]], dtype=np.float32)), 1)
