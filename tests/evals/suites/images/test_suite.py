"""The suite trains tiny networks on made images: its parts do what they say, and a whole run has every figure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lifelong.core import DataMissing
from lifelong.evals.data.images import ImageData, Images, sample_images
from lifelong.evals.suites.images import suite as images_suite
from lifelong.evals.suites.images.suite import FULL, METHODS, PLAIN, QUICK, REDUCED, figures_of, methods
from lifelong.learners import image_network
from lifelong.perception import ClassifierRecipe, CrossEntropy

CPU = torch.device("cpu")
TINY = replace(QUICK, images=8, test_images=6, width=4, recipe=ClassifierRecipe(epochs=2, batch_size=32))


def made(count: int, seed: int) -> Images:
    """Images of ten classes, each of its own brightness, with noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    noise = draw.integers(0, 60, size=(count, 16, 16, 3))
    return Images(pixels=np.asarray(noise + 19 * labels[:, None, None, None], dtype=np.uint8), labels=labels)


DATA = ImageData(names=tuple("abcdefghij"), train=made(150, 0), test=made(80, 1))


def test_some_images_are_of_the_classes_asked_for() -> None:
    found = sample_images(DATA.train, np.array([3, 7]), 4, np.random.default_rng(0))
    assert found.labels.tolist() == [3] * 4 + [7] * 4
    assert len(sample_images(DATA.train, np.zeros(0, dtype=np.int64), 4, np.random.default_rng(0))) == 0


def test_figures_golden() -> None:
    # The surest is right, the least sure is wrong: risks 0, 0, 1/3 over the coverages.
    logits = torch.tensor([[4.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    found = figures_of(logits, np.array([0, 0, 0]), torch.tensor([[0.5, 0.0], [2.0, 0.0]]))
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["failure_aurc_x1000"] == pytest.approx(1000 / 9)
    assert found["failure_auroc"] == 1
    assert found["ood_auroc_softmax"] == pytest.approx(5 / 6)
    assert found["fpr_at_95_id_tpr_softmax"] == pytest.approx(1 / 2)
    assert "ood_auroc_softmax" not in figures_of(logits, np.array([0, 0, 0]), logits[:0])


def test_what_is_reduced_leaves_out_the_contrasts_only() -> None:
    assert methods(FULL) == list(METHODS)
    assert methods(REDUCED) == [PLAIN, "lifelong_fmfp", "lifelong_openmix", "lifelong_aop"]
    assert methods(FULL)[0] == methods(REDUCED)[0] == PLAIN


def test_a_seed_has_every_figure_of_every_method_and_again_the_same() -> None:
    found = images_suite.measure(DATA, 6, TINY, 1, CPU)
    metrics = {metric for method, metric in found if method == PLAIN}
    assert "ood_auroc_energy" in metrics
    assert {method for method, _ in found} == set(METHODS)
    for name in METHODS:
        if name != PLAIN:
            assert {metric for method, metric in found if method == name} == metrics | {f"{metric}_less_plain" for metric in metrics}
            assert found[name, "accuracy_less_plain"] == found[name, "accuracy"] - found[PLAIN, "accuracy"]
    assert all(np.isfinite(list(found.values())))
    assert images_suite.measure(DATA, 6, TINY, 1, CPU) == found


def test_no_image_of_an_unknown_class_is_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    known = set(np.random.default_rng(1).permutation(10)[:6].tolist())
    read, outliers = [], []
    real_inputs, real_training = images_suite._inputs, images_suite._trained

    def inputs(images: Images, device: torch.device, corrupt: int | None = None) -> torch.Tensor:
        (read if corrupt is None else outliers).append(set(images.labels.tolist()))
        return real_inputs(images, device, corrupt)

    def trained(network, inputs, labels, *rest):  # type: ignore[no-untyped-def]
        assert set(labels.tolist()) == set(range(6)), "the known classes, numbered anew"
        assert read[-1] == known
        return real_training(network, inputs, labels, *rest)

    monkeypatch.setattr(images_suite, "_inputs", inputs)
    monkeypatch.setattr(images_suite, "_trained", trained)
    images_suite.measure(DATA, 6, replace(TINY, contrasts=False), 1, CPU)
    assert outliers == [known]
    assert set(range(10)) - known in read, "the unknown classes are measured on"


def test_a_network_learns_under_mixed_precision_and_the_same_again() -> None:
    inputs = images_suite._inputs(DATA.train, CPU)
    logits = []
    for _ in range(2):
        network = image_network(10, width=8, blocks=(1,), stride=2)
        recipe = ClassifierRecipe(epochs=8, batch_size=32)
        trained = images_suite._trained(network, inputs, DATA.train.labels, recipe, CrossEntropy(), CPU)
        logits.append(images_suite.logits_of(trained, DATA.test, 10, CPU))
    assert torch.equal(*logits)
    assert (logits[0].argmax(1).numpy() == DATA.test.labels).mean() > 0.4


def test_without_data_it_says_what_it_reads(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="cifar10_jpeg"):
        images_suite.run(quick=True, seeds=1, data=None)
