"""The Pareto head: its preference trades old classes against new ones."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.learners import ParetoHead


def groups(classes: int, each: int, seed: int = 0, spread: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + spread * draw.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_preference_trades_the_old_against_the_new() -> None:
    vectors, labels = groups(6, 30, spread=0.6)
    head = ParetoHead(per_class=2, epochs=2)
    for low in (0, 3):
        part = (labels >= low) & (labels < low + 3)
        head.learn(vectors[part], labels[part])
    fresh, truth = groups(6, 60, seed=1, spread=0.6)

    def accuracies(preference: float | None) -> tuple[float, float]:
        head.preference = preference
        hits = head.predict(fresh) == truth
        return float(hits[truth < 3].mean()), float(hits[truth >= 3].mean())

    stable, plastic = accuracies(1.0), accuracies(0.0)
    assert stable[0] > plastic[0]
    assert stable[1] < plastic[1]
    assert min(accuracies(None)) > 0.2
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        accuracies(1.5)
