"""An encoder with adapters."""

from __future__ import annotations

import numpy as np
from made.letter_texts import RECIPE, texts

from lifelong.learners import AdaptedEncoder


def test_a_change_is_what_was_trained_and_the_network_stays(encoder: AdaptedEncoder) -> None:
    rows, labels = texts(0, range(3))
    before = encoder.encode(rows)
    change, _ = encoder.train(rows, labels, RECIPE)
    np.testing.assert_array_equal(encoder.encode(rows), before)
    assert max(int(np.linalg.matrix_rank(delta.numpy(), tol=1e-6)) for delta in change.values()) == 2

    def apart(vectors: np.ndarray) -> float:
        means = np.stack([vectors[labels == one].mean(0) for one in range(3)])
        return float(np.linalg.norm(means - means.mean(0)))

    assert apart(encoder.encode(rows, change)) > 1.05 * apart(before)
    again, _ = encoder.train(rows, labels, RECIPE)
    assert all(np.array_equal(again[name].numpy(), change[name].numpy()) for name in change)
    further, _ = encoder.train(rows, labels, RECIPE, start=change)
    assert apart(encoder.encode(rows, further)) > apart(encoder.encode(rows, change))


def test_an_encoding_does_not_depend_on_its_neighbours(encoder: AdaptedEncoder) -> None:
    rows, _ = texts(0, range(2))
    np.testing.assert_allclose(encoder.encode(rows[:1]), encoder.encode(rows)[:1], atol=0.02)
    assert encoder.encode([]).shape[0] == 0
