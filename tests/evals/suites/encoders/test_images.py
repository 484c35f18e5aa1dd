"""The suite's part on images runs on made ones with tiny networks: every figure is there, gains are paired, and again the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lifelong.evals.data.images import ImageData, Images
from lifelong.evals.suites.encoders import images as continual_images
from lifelong.evals.suites.encoders.images import BRANCHES, CONTRASTS, FORMS, METHODS, OURS, QUICK, drawn, probe, probed, run_stream
from lifelong.learners import ImageLearner, ImageRecipe, SelfSupervisedEncoder

RECIPE = ImageRecipe(width=4, blocks=(1,), epochs=1, batch_size=16)
SCALE = replace(QUICK, images=4, test_images=3, recipe=RECIPE, unlabelled=RECIPE)


def made(count: int, seed: int) -> Images:
    """Images of ten classes, each of its own brightness, with noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    noise = draw.integers(0, 60, size=(count, 8, 8, 3))
    return Images(pixels=np.asarray(noise + 19 * labels[:, None, None, None], dtype=np.uint8), labels=labels)


DATA = ImageData(names=tuple("abcdefghij"), train=made(60, 0), test=made(40, 1))


def test_a_draw_has_so_many_images_of_each_class_in_five_pairs() -> None:
    groups, train, test = drawn(DATA, SCALE, 3)
    assert [len(group) for group in groups] == [2] * 5
    assert sorted(np.concatenate(groups)) == list(range(10))
    assert np.bincount(train.labels).tolist() == [4] * 10
    assert np.bincount(test.labels).tolist() == [3] * 10
    assert any((one != two).any() for one, two in zip(groups, drawn(DATA, SCALE, 4)[0], strict=True))


def test_a_stream_golden() -> None:
    class Newest(ImageLearner):
        """Tells the smallest class of the last group."""

        def learn(self, pixels: np.ndarray, labels: np.ndarray) -> None:
            self.last = labels.min()

        def predict(self, pixels: np.ndarray) -> np.ndarray:
            return np.full(len(pixels), self.last)

    groups, train, test = drawn(DATA, SCALE, 0)
    found = run_stream(Newest(), groups, train, test)
    # One class of two is right at first, of ten at the end; each group but the last falls from a half to nothing.
    assert found["last_accuracy"] == pytest.approx(1 / 10)
    assert found["average_accuracy"] == pytest.approx(np.mean([1 / 2, 1 / 4, 1 / 6, 1 / 8, 1 / 10]))
    assert found["forgetting"] == pytest.approx(1 / 2)


def test_a_seed_has_every_figure_of_every_method_and_paired_gains() -> None:
    found = continual_images.measure(DATA, SCALE, 0)
    for name in METHODS:
        assert {metric for method, metric in found if method == name} >= {"last_accuracy", "average_accuracy", "forgetting", "seconds"}
    assert {metric for method, metric in found if method == "joint"} == {"last_accuracy", "seconds"}
    for other in CONTRASTS:
        assert found[OURS, f"gain_over_{other}"] == found[OURS, "last_accuracy"] - found[other, "last_accuracy"]
    assert all(np.isfinite(list(found.values())))


def test_encoders_without_labels_start_alike_and_are_probed() -> None:
    found = continual_images.measure_unlabelled(DATA, SCALE, 0)
    again = continual_images.measure_unlabelled(DATA, SCALE, 0)
    assert {key: value for key, value in found.items() if key[1] != "seconds"} == {
        key: value for key, value in again.items() if key[1] != "seconds"
    }
    for name in FORMS:
        assert {metric for method, metric in found if method == name} >= {"probe_accuracy", "feature_forgetting", "seconds"}
    assert found[BRANCHES, "gain_over_frozen_norms"] == found[BRANCHES, "probe_accuracy"] - found["frozen_norms", "probe_accuracy"]


def test_the_probe_reads_features_and_forgetting_counts_from_when_a_group_came(monkeypatch: pytest.MonkeyPatch) -> None:
    groups, train, test = drawn(DATA, SCALE, 0)
    encoder = SelfSupervisedEncoder(RECIPE)
    encoder.learn(train.pixels)
    assert probe(encoder, train, test).mean() > 0.2  # brightness tells the classes apart
    right = [np.ones(len(test), dtype=bool)] + [np.zeros(len(test), dtype=bool)] * 4
    monkeypatch.setattr(continual_images, "probe", lambda *_: right.pop(0))
    found = probed(encoder, groups, train, test)
    # The first group fell from one to nothing; the three others that could fall were only counted once they had come.
    assert found["feature_forgetting"] == pytest.approx(1 / 4)
    assert found["probe_accuracy"] == 0
    assert found["average_probe_accuracy"] == pytest.approx(1 / 5)
