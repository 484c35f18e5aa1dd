"""The learners of images on made ones of 8 x 8 pixels, each class a colour and a bright corner."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from lifelong.learners import (
    DistillationImageLearner,
    ImageLearner,
    ImageRecipe,
    PrototypeImageLearner,
    ReplayImageLearner,
    load_head,
    save_head,
)
from lifelong.learners.experimental.images.distillation import distillation_loss
from lifelong.learners.experimental.images.image_learner import encoded
from lifelong.learners.experimental.images.prototypes import ensemble_scores, gaussian_scores
from lifelong.learners.experimental.images.views import network_inputs, turned

TINY = ImageRecipe(width=4, blocks=(1,), epochs=2, batch_size=12, learning_rate=0.02)
MAKES: dict[str, Callable[[], ImageLearner]] = {
    "naive": lambda: ImageLearner(TINY),
    "lwf": lambda: DistillationImageLearner(TINY),
    "replay": lambda: ReplayImageLearner(TINY, per_class=3),
    "pass": lambda: PrototypeImageLearner(TINY, form="sampled", hardness=0.0, ensemble=False),
    "pass_plus_plus": lambda: PrototypeImageLearner(TINY),
    "pass_plus_plus_gaussians": lambda: PrototypeImageLearner(TINY, gaussians=True),
}
each_member = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)


def made(classes: list[int], count: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(classes, count)
    pixels = draw.integers(0, 60, size=(len(labels), 8, 8, 3))
    for one in classes:
        pixels[labels == one, :, :, one % 3] += 120
        pixels[labels == one, : 2 + one, :4] += 60
    return pixels.astype(np.uint8), labels


def learned(make: Callable[[], ImageLearner], *groups: list[int]) -> ImageLearner:
    learner = make()
    for group in groups:
        learner.learn(*made(group))
    return learner


def test_distillation_loss_golden() -> None:
    # At T = 2: taught (0.75, 0.25), answered (0.5, 0.5); KL = 0.75 ln 1.5 + 0.25 ln 0.5; times T^2.
    taught = torch.tensor([[2 * np.log(3.0), 0.0]])
    expected = 4 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    assert distillation_loss(torch.zeros(1, 2, dtype=torch.float64), taught).item() == pytest.approx(expected)
    assert distillation_loss(taught, taught).item() == pytest.approx(0)


def test_ensemble_scores_golden() -> None:
    # Turn t reads columns t and 4 + t alone.
    logits = torch.zeros(4, 1, 8)
    logits[0, 0, 0], logits[1, 0, 1], logits[2, 0, 6], logits[3, 0, 0] = 4.0, 2.0, 8.0, 100.0
    assert ensemble_scores(logits).tolist() == [[1.5, 2.0]]


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


def test_naive_forgets_what_replay_keeps() -> None:
    asked, truth = made([0, 1], seed=1)
    right = {name: (learned(MAKES[name], [0, 1], [2, 3]).predict(asked) == truth).mean() for name in ("naive", "replay")}
    assert right["naive"] < right["replay"]


def test_replay_keeps_so_many_of_each_class_and_the_same_ones() -> None:
    learner = learned(MAKES["replay"], [0, 1])
    before = learner.state()["kept.pixels"]
    learner.learn(*made([2]))
    state = learner.state()
    assert np.bincount(state["kept.places"]).tolist() == [3, 3, 3]
    assert len(before) == 6


def test_prototypes_are_means_of_features_with_the_radius_of_the_first_call() -> None:
    learner = learned(MAKES["pass_plus_plus"], [3, 6])
    state, (pixels, labels) = learner.state(), made([3, 6])
    assert sorted(state["kept.columns"]) == list(range(8))
    upright, turned = (learner.features(np.rot90(pixels, turn, (1, 2))) for turn in (0, 1))
    np.testing.assert_allclose(state["kept.means"][state["kept.columns"] == 4][0], upright[labels == 6].mean(0), rtol=1e-5)
    np.testing.assert_allclose(state["kept.means"][state["kept.columns"] == 1][0], turned[labels == 3].mean(0), rtol=1e-5)
    spread = [((upright[labels == one] - upright[labels == one].mean(0)) ** 2).sum(1).mean() for one in (3, 6)]
    assert state["kept.radius"] == pytest.approx(np.sqrt(np.mean(spread) / 4), rel=1e-5)
    learner.learn(*made([1]))
    assert learner.state()["kept.radius"] == state["kept.radius"]
    assert len(learned(MAKES["pass"], [3, 6]).state()["kept.columns"]) == 2


def test_gaussian_scores_golden() -> None:
    # Means (2, 0) and (0, 2), covariance diag(2, 1): x' S^-1 m - m' S^-1 m / 2 at (1, 1) is 1 - 1 and 2 - 2; at (2, 1): 2 - 1 and 2 - 2.
    means = np.array([[[2.0, 0.0], [0.0, 2.0]]])
    found = gaussian_scores(np.array([[[1.0, 1.0], [2.0, 1.0]]]), means, np.diag([2.0, 1.0])[None])
    np.testing.assert_allclose(found, [[0.0, 0.0], [1.0, 0.0]])
    both = np.concatenate([means, means[:, ::-1]])
    turned_over = gaussian_scores(np.array([[[2.0, 1.0]], [[2.0, 1.0]]]), both, np.stack([np.diag([2.0, 1.0])] * 2))
    np.testing.assert_allclose(turned_over, [[0.5, 0.5]], err_msg="the mean over the turns")


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


def test_distillation_is_the_distance_to_the_features_before() -> None:
    pixels, labels = made([0, 1])
    found = []
    for distillation in (0.0, 1.0):
        learner = PrototypeImageLearner(TINY, distillation=distillation, strength=0.0)
        learner.learn(pixels, labels)
        teacher = copy.deepcopy(learner._trained())
        with torch.no_grad():
            for weights in teacher[0].parameters():
                weights.mul_(1.5)
            batch = network_inputs(pixels)
            found.append(learner._loss(batch, torch.from_numpy(labels), teacher, np.random.default_rng(0)).item())
    turns = torch.from_numpy(np.random.default_rng(0).integers(4, size=len(batch)))
    after, before = (encoded(network, turned(batch, turns)).detach() for network in (learner._trained(), teacher))
    assert found[1] - found[0] == pytest.approx((after - before).norm(dim=1).mean().item(), rel=1e-4)
