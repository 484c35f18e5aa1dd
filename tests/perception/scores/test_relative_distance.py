"""Relative distances, and what they would have been without a sample: the closed form against leaving it out for real."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lifelong.numerics.class_statistics import ClassStatistics
from lifelong.perception import RelativeMahalanobisNovelty
from lifelong.perception.scores.relative_distance import RelativeDistance


def samples(seed: int = 0, count: int = 60, dimensions: int = 5) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    return (draw.normal(size=(count, dimensions)) + 2 * np.eye(3, dimensions)[labels]).astype(np.float32), labels


def test_it_is_the_relative_mahalanobis_score() -> None:
    vectors, labels = samples()
    others, _ = samples(1)
    distance = RelativeDistance.from_statistics(ClassStatistics.from_samples(vectors, labels))
    logits = np.zeros((len(vectors), 1), dtype=np.float32)
    reference = RelativeMahalanobisNovelty().fit(vectors, logits, labels).score(others, logits)
    assert distance.novelty(others) == pytest.approx(reference, rel=1e-4, abs=1e-4)
    assert distance.distances(others).shape == (60, 3)


def test_leaving_out_in_closed_form_is_leaving_out() -> None:
    vectors, labels = samples()
    closed = RelativeDistance.from_statistics(ClassStatistics.from_samples(vectors, labels)).leave_one_out_novelty(vectors, labels)
    for row in (0, 1, 17, 59):
        kept = np.arange(len(vectors)) != row
        without = RelativeDistance.from_statistics(ClassStatistics.from_samples(vectors[kept], labels[kept]))
        assert closed[row] == pytest.approx(without.novelty(vectors[row : row + 1])[0], rel=1e-6)


def test_a_class_of_one_is_gone_without_it() -> None:
    vectors, labels = samples()
    labels = np.where(np.arange(60) == 7, 3, labels)
    closed = RelativeDistance.from_statistics(ClassStatistics.from_samples(vectors, labels)).leave_one_out_novelty(vectors, labels)
    kept = np.arange(60) != 7
    without = RelativeDistance.from_statistics(ClassStatistics.from_samples(vectors[kept], labels[kept]))
    assert closed[7] == pytest.approx(without.novelty(vectors[7:8])[0], rel=1e-6)
    assert np.isfinite(closed).all()


def test_samples_look_stranger_without_themselves() -> None:
    vectors, labels = samples(count=30, dimensions=8)
    distance = RelativeDistance.from_statistics(ClassStatistics.from_samples(vectors, labels))
    assert distance.leave_one_out_novelty(vectors, labels).mean() > distance.novelty(vectors).mean()


def test_it_stays_as_it_was_taken_while_the_moments_go_on() -> None:
    vectors, labels = samples()
    moments = ClassStatistics.from_samples(vectors, labels)
    distance = RelativeDistance.from_statistics(moments)
    before = distance.leave_one_out_novelty(vectors, labels)
    moments.learn(vectors[:10], labels[:10])
    assert distance.leave_one_out_novelty(vectors, labels) == pytest.approx(before)


def test_a_class_whose_samples_are_gone_leaves_the_shared_covariance() -> None:
    vectors, labels = samples()
    moments = ClassStatistics.from_samples(vectors, labels)
    within = moments.within()
    moments.forget_class(1)
    assert moments.labels.tolist() == [0, 2]
    assert moments.within() == pytest.approx(within)
    assert moments.means == pytest.approx(np.stack([vectors[labels == label].mean(0) for label in (0, 2)]), abs=1e-6)
    with pytest.raises(ValueError, match="class 1 is not known"):
        moments.forget_class(1)
