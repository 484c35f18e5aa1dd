from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lifelong.evals.data.texts import TextData, Texts
from lifelong.evals.suites.perception.noise import choose, fitted, measure, noisy, noisy_splits, predicted, settings


def groups(count: int, seed: int, classes: int = 5) -> Texts:
    """Unit vectors around one axis a class."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    rows = np.eye(classes, 12)[labels] + draw.normal(scale=0.25, size=(count, 12))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Texts(texts=("",) * count, labels=labels, vectors=rows.astype(np.float32))


def data(*, validation: bool = True) -> TextData:
    empty = groups(0, 0)
    return TextData(
        names=tuple("abcde"),
        train=groups(300, 0),
        validation=groups(100, 1) if validation else empty,
        test=groups(100, 2),
        outliers_train=empty,
        outliers_validation=empty,
        outliers_test=empty,
        sentences=empty,
    )


@pytest.mark.parametrize("level", [0.2, 0.6])
def test_noise_is_symmetric_of_its_level_and_leaves_its_input(level: float) -> None:
    labels = np.repeat(np.arange(5), 2000)
    before = labels.copy()
    changed = noisy(labels, level, 5, np.random.default_rng(0))
    assert np.array_equal(labels, before)
    assert (changed != labels).mean() == pytest.approx(level)
    kinds = np.bincount((changed - labels)[changed != labels] % 5, minlength=5) / (level * len(labels))
    assert kinds[0] == 0
    assert kinds[1:] == pytest.approx([0.25] * 4, abs=0.03)


def test_validation_is_held_out_of_training_where_there_is_none() -> None:
    plain = data(validation=False)
    train, validation = noisy_splits(plain, 0.4, seed=1)
    assert (len(train), len(validation)) == (240, 60)
    rows = {row.tobytes() for row in train.vectors}
    assert not any(row.tobytes() in rows for row in validation.vectors)
    again, _ = noisy_splits(plain, 0.4, seed=1)
    assert np.array_equal(train.labels, again.labels)
    assert not np.array_equal(train.labels, noisy_splits(plain, 0.4, seed=2)[0].labels)


def test_the_choice_is_the_best_against_the_noisy_validation_labels() -> None:
    train, validation = noisy_splits(data(), 0.2, seed=0)
    some = settings(2)["cross_entropy"]
    some[1] = replace(some[1], recipe=replace(some[1].recipe, learning_rate=1e-6))  # learns nothing
    shares = [(predicted(fitted(one, train, 5, 0), validation)[0] == validation.labels).mean() for one in some]
    assert shares[some.index(choose(some, train, validation, 5))] == max(shares) > min(shares)


def test_figures_hold_every_method_and_the_gain_over_each_baseline() -> None:
    figures = measure(data(), 0.2, {method: some[1] for method, some in settings(4).items()}, seed=0)
    assert {metric for method, metric in figures if method == "lifelong"} == {"accuracy", "failure_aurc_x1000"}
    assert figures["lifelong", "accuracy"] > 0.9
    gain = figures["lifelong", "accuracy"] - figures["bootstrapping", "accuracy"]
    assert figures["bootstrapping", "lifelong_accuracy_gain"] == gain
