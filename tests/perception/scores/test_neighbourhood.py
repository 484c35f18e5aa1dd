"""Nearest neighbours and what is smoothed over them."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.numerics.arrays import l2_normalize
from lifelong.perception.discovery.spherical import class_means
from lifelong.perception.scores.neighbourhood import nearest, neighbourhood_size, smoothed


def groups(seed: int, count: int, each: int, dimensions: int = 32, noise: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), each)
    centres = l2_normalize(draw.normal(size=(count, dimensions)))
    return l2_normalize(centres[labels] + noise * draw.normal(size=(len(labels), dimensions)) / np.sqrt(dimensions) * 2).astype(
        np.float32
    ), labels


def test_neighbourhoods() -> None:
    assert [neighbourhood_size(rows) for rows in (1, 4, 100, 10_000)] == [1, 1, 5, 10]
    rows, labels = groups(0, 4, 25)
    places = nearest(rows, rows, 3)
    assert np.array_equal(places[:, 0], np.arange(100))
    close = smoothed(rows, rows)
    assert np.linalg.norm(close, axis=1) == pytest.approx(1, abs=1e-4)
    within = [np.einsum("nd,nd->n", part, class_means(part, labels, 4)[labels]).mean() for part in (rows, close)]
    assert within[1] > within[0]
