"""Logistic regression that chooses its own C, and k-means that starts from labelled samples."""

from __future__ import annotations

import numpy as np

from lifelong.evals.data.logistic import STRENGTHS
from lifelong.evals.suites.continual.plain_baselines import LogisticHead, SeededKMeans
from lifelong.learners import UNLABELLED


def blobs(classes: int, each: int, seed: int, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    rows = np.eye(16)[labels] + spread * draw.normal(size=(len(labels), 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def test_logistic_regression_learns_group_after_group() -> None:
    rows, labels = blobs(6, 12, 0)
    head = LogisticHead()
    for low in (0, 3):
        part = (labels >= low) & (labels < low + 3)
        head.learn(rows[part], labels[part])
    assert head.labels.tolist() == list(range(6))
    test, truth = blobs(6, 4, 1)
    assert (head.predict(test) == truth).all()
    assert head.strength in STRENGTHS
    # Two bytes an entry and eight a class number.
    assert sum(array.nbytes for array in head.state().values()) == 72 * (16 * 2 + 8)


def test_seeded_kmeans_finds_the_unlabelled_samples_of_its_groups() -> None:
    rows, labels = blobs(4, 20, 0, spread=0.2)
    given = np.where(np.arange(len(labels)) % 20 == 0, labels, UNLABELLED)
    head = SeededKMeans()
    for low in (0, 2):
        part = (labels >= low) & (labels < low + 2)
        head.learn(rows[part], given[part])
    test, truth = blobs(4, 10, 1, spread=0.2)
    assert (head.predict(test) == truth).mean() > 0.9
