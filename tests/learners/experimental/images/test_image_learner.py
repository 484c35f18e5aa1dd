"""The learners of images on made ones of 8 x 8 pixels, each class a colour and a bright corner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made.tiny_images import MAKES, TINY, learned, made

from lifelong.learners import (
    DistillationImageLearner,
    ImageLearner,
    ImageRecipe,
    PrototypeImageLearner,
    ReplayImageLearner,
    load_head,
    save_head,
)

each_member = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)


@each_member
def test_only_learned_classes_are_told_and_input_stays(make: Callable[[], ImageLearner]) -> None:
    pixels, labels = made([7, 2])
    kept = pixels.copy(), labels.copy()
    learner = make()
    learner.learn(pixels, labels)
    assert set(learner.predict(made([2, 4, 7])[0])) <= {2, 7}
    learner.learn(*made([4]))
    assert learner.labels.tolist() == [2, 4, 7]
    asked = made([2, 4, 7], seed=1)[0]
    scores = learner.scores(asked)
    assert (scores.shape, scores.dtype.name) == ((36, 3), "float64")
    assert np.array_equal(learner.predict(asked), learner.labels[scores.argmax(1)])
    assert learner.features(asked).shape == (36, 4)
    assert learner.predict(asked[:0]).shape == (0,)
    assert np.array_equal(pixels, kept[0])
    assert np.array_equal(labels, kept[1])


@each_member
def test_read_from_disk_it_answers_and_learns_on_in_the_same_way(make: Callable[[], ImageLearner], tmp_path: Path) -> None:
    learner, again, loaded = learned(make, [5, 1]), learned(make, [5, 1]), make()
    save_head(learner, tmp_path / "learner.npz")
    load_head(loaded, tmp_path / "learner.npz")
    asked = made([1, 3, 5], seed=1)[0]
    assert np.array_equal(loaded.scores(asked), learner.scores(asked))
    for one in (learner, again, loaded):
        one.learn(*made([3]))
    assert np.array_equal(again.scores(asked), learner.scores(asked))
    assert np.array_equal(loaded.scores(asked), learner.scores(asked))


@each_member
def test_bad_input_is_refused_and_changes_nothing(make: Callable[[], ImageLearner]) -> None:
    pixels, labels = made([0, 1])
    with pytest.raises(ValueError, match="call `learn` first"):
        make().predict(pixels)
    learner = learned(make, [0, 1])
    before = learner.scores(pixels)
    for wrong, message in (
        ((pixels.astype(np.float32), labels), "uint8"),
        ((pixels, labels[:-1]), "one label an image"),
        ((pixels[:, :4, :4], labels), "one size"),
    ):
        with pytest.raises(ValueError, match=message):
            learner.learn(*wrong)
    with pytest.raises(ValueError, match="one size"):
        learner.predict(pixels[:, :4, :4])
    learner.learn(pixels[:0], labels[:0])
    assert np.array_equal(learner.scores(pixels), before)


@each_member
def test_a_class_that_comes_twice_and_a_single_class_are_learned(make: Callable[[], ImageLearner]) -> None:
    learner = learned(make, [1], [0, 1], [0])
    assert learner.labels.tolist() == [0, 1]
    assert np.isfinite(learner.scores(made([0, 1])[0])).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ImageRecipe(epochs=0), "at least 1"),
        (lambda: DistillationImageLearner(temperature=0), "above 0"),
        (lambda: ReplayImageLearner(per_class=0), "keeps none"),
        (lambda: PrototypeImageLearner(hardness=1), "hardness"),
        (lambda: PrototypeImageLearner(strength=-1), "negative"),
    ],
)
def test_settings_out_of_range_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_seed_decides() -> None:
    asked = made([0, 1])[0]
    first, other = (ImageLearner(TINY, seed=seed) for seed in (0, 1))
    for one in (first, other):
        one.learn(*made([0, 1]))
    assert not np.allclose(first.scores(asked), other.scores(asked))


def test_gaussians_answer_for_old_classes_where_the_head_has_forgotten_them() -> None:
    pixels, labels = made([0, 1], seed=5)
    right = {}
    for gaussians in (False, True):
        learner = PrototypeImageLearner(TINY, strength=0.0, distillation=0.0, gaussians=gaussians)
        for group in ([0, 1], [2, 3], [4, 5]):
            learner.learn(*made(group))
        right[gaussians] = float((learner.predict(pixels) == labels).mean())
    assert right[True] > right[False] + 0.2


def test_gaussians_move_with_the_features() -> None:
    learner = PrototypeImageLearner(TINY, gaussians=True, distillation=0.0)
    learner.learn(*made([0, 1]))
    before = learner.state()
    learner.learn(*made([2]))
    after = learner.state()
    assert (np.abs(after["kept.means"][:8] - before["kept.means"]).sum(1) > 0).all()
    assert (after["kept.count"], before["kept.count"]) == (36, 24)
    with pytest.raises(ValueError, match="all four turns"):
        PrototypeImageLearner(TINY, gaussians=True, ensemble=False)
