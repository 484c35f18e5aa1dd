"""Networks of two kinds whose chances are averaged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lifelong.learners.heads.ensemble import Ensemble, chances
from lifelong.learners.heads.softmax import network


def groups(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    rows = np.eye(3, 8)[labels] + 0.2 * draw.normal(size=(count, 8))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.fixture(scope="module")
def fitted() -> Ensemble:
    return Ensemble.fit(*groups(90, 0), 3, hidden=16, perceptrons=1, epochs=2)


def test_it_learns_and_its_chances_sum_to_one(fitted: Ensemble) -> None:
    rows, labels = groups(60, 1)
    logits = fitted.logits(rows)
    assert (logits.argmax(1) == labels).mean() > 0.95
    assert np.allclose(np.exp(logits).sum(1), 1, atol=1e-6)
    assert fitted.dimensions == 8


def test_its_chances_are_the_mean_of_its_members() -> None:
    nets = [network(8, 3, hidden, 0.5, seed).eval() for seed, hidden in enumerate((0, 4))]
    rows, _ = groups(5, 2)
    mean = (chances(nets[0], rows) + chances(nets[1], rows)) / 2
    assert np.allclose(np.exp(Ensemble(nets).logits(rows)), mean)


def test_a_class_that_is_impossible_has_a_finite_logit() -> None:
    net = network(8, 3, 0, 0.5, 0)
    with torch.no_grad():
        net[0].bias[2] = -1e6  # type: ignore[index,union-attr,operator]
    assert np.isfinite(Ensemble([net]).logits(groups(4, 0)[0])).all()


def test_it_comes_back_from_its_state_among_other_entries(fitted: Ensemble) -> None:
    rows, _ = groups(20, 3)
    again = Ensemble.of({**fitted.state(), "labels": np.arange(3)})
    assert np.array_equal(again.logits(rows), fitted.logits(rows))


def test_rare_classes_are_not_drowned() -> None:
    rows, labels = groups(300, 4)
    kept = (labels != 2) | (np.arange(300) < 12)
    fitted = Ensemble.fit(rows[kept], labels[kept], 3, hidden=16, perceptrons=1, epochs=2)
    test, truth = groups(90, 5)
    assert (fitted.logits(test).argmax(1)[truth == 2] == 2).mean() > 0.9
