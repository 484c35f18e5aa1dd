from __future__ import annotations

import numpy as np
import pytest
from sampled_skills import sampled_skills

from lifelong.numerics.class_statistics import ClassStatistics
from lifelong.perception.recognition import evidence as module
from lifelong.perception.recognition.evidence import SharedShape, joined, random_features, ridge_weights, shrunk_whitening


def test_both_systems_of_the_ridge_regression_give_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(1).random((30, 30)).astype(np.float32)
    labels = np.arange(30) % 3
    small = ridge_weights(features, labels, 3)
    inverse = np.linalg.inv(features.T.astype(np.float64) @ features + module.RIDGE * np.eye(30))
    np.testing.assert_allclose(small, inverse @ features.T @ np.eye(3)[labels], atol=1e-4)
    tall = np.concatenate([features, features])
    np.testing.assert_allclose(
        ridge_weights(tall, np.tile(labels, 2), 3), ridge_weights(tall, np.tile(labels, 2), 3, tall.T @ tall), atol=1e-5
    )


def test_random_features_depend_on_the_seed_alone_and_are_not_negative() -> None:
    rows = sampled_skills().banks[0][:, :8]
    one = random_features(rows, 3)
    np.testing.assert_array_equal(one, random_features(rows.copy(), 3))
    assert (one >= 0).all()
    assert not np.array_equal(one, random_features(rows, 4))


def test_few_samples_give_a_round_shape() -> None:
    rows = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])
    round_ = shrunk_whitening(rows, 0)
    np.testing.assert_allclose(round_ @ round_.T, np.eye(2) / 2.5)
    exact = shrunk_whitening(rows, 1e9)
    np.testing.assert_allclose(exact @ exact.T, np.diag([0.25, 1.0]), rtol=1e-3)


@pytest.mark.parametrize("scale", [1.0, 1e-5])
@pytest.mark.parametrize("count", [1, 2, 7, 19, 20, 60])
def test_the_whitening_is_that_of_the_whole_covariance_however_few_rows_there_are(count: int, scale: float) -> None:
    """The covariance itself, drawn towards the identity by equation 23 of Chen et al. 2010, inverted."""
    rows = scale * np.random.default_rng(count).normal(size=(count, 20)) * np.linspace(1, 3, 20)
    rows[-1] = rows[0]
    covariance = rows.T @ rows / count
    square, trace, samples = float(np.sum(covariance**2)), float(np.trace(covariance)), max(count - 1, 1)
    share = min(1.0, ((1 - 2 / 20) * square + trace**2) / ((samples + 1 - 2 / 20) * (square - trace**2 / 20)))
    found = shrunk_whitening(rows, samples)
    np.testing.assert_allclose(found @ found.T @ ((1 - share) * covariance + share * trace / 20 * np.eye(20)), np.eye(20), atol=1e-7)


def test_rows_without_any_spread_have_a_defined_whitening() -> None:
    np.testing.assert_array_equal(shrunk_whitening(np.zeros((3, 8)), 2), np.eye(8))
    np.testing.assert_array_equal(shrunk_whitening(np.zeros((9, 8)), 8), np.eye(8))


def test_the_gaussian_is_that_of_the_class_statistics() -> None:
    skills = sampled_skills(count=400)
    shape = SharedShape.fit(skills, 0)
    labels = np.repeat(np.arange(5), 400)
    statistics = ClassStatistics.from_samples(np.concatenate([bank[:, :8] for bank in skills.banks]), labels)
    np.testing.assert_allclose(shape.mean, statistics.mean, atol=1e-6)
    np.testing.assert_allclose(skills.means, statistics.means, atol=1e-6)
    np.testing.assert_allclose(shape.within @ shape.within.T @ statistics.within(), np.eye(8), atol=0.1)


def test_evidence_points_at_the_right_skill_and_a_task_itself_is_nearest() -> None:
    skills = sampled_skills()
    shape = SharedShape.fit(skills, 0)
    found = shape.evidence(skills, shape.centres(skills), skills.banks[2][:3])
    assert found.columns.shape == (3, 5, 3)
    own = found.skills == 2
    np.testing.assert_allclose(found.columns[own][:, 0], 1, atol=1e-5)
    np.testing.assert_allclose(found.nearest_first[own], 1, atol=1e-5)
    for column in range(3):
        assert (found.columns[:, :, column].argmax(axis=1) == own.argmax(axis=1)).all()


def test_only_the_nearest_skills_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CANDIDATES", 2)
    skills = sampled_skills()
    shape = SharedShape.fit(skills, 0)
    found = shape.evidence(skills, shape.centres(skills), skills.banks[4])
    assert found.skills.shape == (20, 2)
    assert (found.skills == 4).any(axis=1).all()


def test_rows_are_divided_and_a_skill_without_rows_is_left_out() -> None:
    skills = sampled_skills(skills=2, count=3)
    left, others, names = joined(skills, [np.array([True, False, True]), np.zeros(3, dtype=bool)])
    assert left.names == ("s0",)
    assert names == ["s0", "s1", "s1", "s1"]
    np.testing.assert_array_equal(others, np.concatenate([skills.banks[0][1:2], skills.banks[1]]))


def test_a_shape_is_restored() -> None:
    skills = sampled_skills()
    shape = SharedShape.fit(skills, 0)
    again = SharedShape.restored(shape.state())
    rows = skills.banks[1]
    one, other = (made.evidence(skills, made.centres(skills), rows) for made in (shape, again))
    np.testing.assert_array_equal(one.columns, other.columns)
