"""What heads share that are one weight vector a class, fitted by gradients."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lifelong.learners.experimental.heads.gradient import GradientHead


class SumHead(GradientHead):
    """Adds its samples up: the plainest member there can be."""

    def _fit(self, rows: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        self.fresh = self._admit(labels, weights=np.zeros((len(np.setdiff1d(labels, self._labels)), rows.shape[1]), dtype=np.float32))
        for place, label in enumerate(self._labels):
            self._arrays["weights"][place] += rows[labels == label].sum(0)

    def _scores(self, rows: NDArray[np.float32]) -> NDArray[np.floating]:
        return rows @ self._arrays["weights"].T


ROWS = np.eye(3, dtype=np.float32)


def test_new_classes_stand_in_order_and_old_ones_keep_their_arrays() -> None:
    head = SumHead(epochs=1, seed=0)
    head.learn(ROWS[:2], np.array([7, 3]))
    head.learn(ROWS[2:], np.array([5]))
    assert head.labels.tolist() == [3, 5, 7]
    assert head.fresh.tolist() == [False, True, False]
    assert head.predict(ROWS).tolist() == [7, 3, 5]


def test_nothing_to_learn_changes_nothing() -> None:
    head = SumHead(epochs=1, seed=0)
    head.learn(np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype=np.int64))
    assert head.labels.tolist() == []
    with pytest.raises(ValueError, match="SumHead knows no class yet"):
        head.predict(ROWS)


def test_what_does_not_fit_is_refused() -> None:
    head = SumHead(epochs=1, seed=0)
    with pytest.raises(ValueError, match="one label a vector"):
        head.learn(ROWS, np.array([1, 2]))
    head.learn(ROWS, np.arange(3))
    with pytest.raises(ValueError, match="rows of 3 columns"):
        head.learn(np.zeros((1, 4), dtype=np.float32), np.zeros(1, dtype=np.int64))


def test_a_state_is_a_copy_and_restores_the_head() -> None:
    head, again = SumHead(epochs=1, seed=0), SumHead(epochs=1, seed=0)
    head.learn(ROWS, np.array([7, 3, 5]))
    state = head.state()
    again.restore(state)
    state["weights"][:] = 0
    head.labels[:] = 0
    assert np.array_equal(again.logits(ROWS), head.logits(ROWS))
    assert again.predict(ROWS).tolist() == [7, 3, 5]
