"""Class after class where the encoder trains too: CIFAR-10 in five groups of two, from scratch; and the same without labels.

With labels: our PASS++, which answers from Gaussians that move with the encoder, beside PASS++ with its head, PASS, LwF, naive training
and a little replay, all on one network and in as many epochs, each seed with one order and one draw of images for all. An encoder that
stopped after the first group, and answers as ours does, shows what the later training is worth. Joint training sees everything at
once, and is tested at the end alone.
Without labels: branch-tuning beside other ways to go on with self-supervision; what the features are worth is measured by a ridge
head over all ten classes, fitted on the training images.

Settings were chosen on images held out of the training images, under other orders of the classes (seeds 100 to 102): the strengths
of PASS, PASS++ and LwF with a few runs of each, most of them in six epochs; PASS++'s were taken over for ours, which gained 12 points
there by its answer alone. An earlier form of ours, without Gaussians, was run once on the test images of the order 1993, and
was given up. Nothing was chosen for self-supervision.
On a GPU it runs at full size; on a CPU at a reduced one, which the name of the case says.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ....learners import (
    DistillationImageLearner,
    ImageLearner,
    ImageRecipe,
    PrototypeImageLearner,
    ReplayImageLearner,
    RidgeHead,
    SelfSupervisedEncoder,
)
from ...data.class_stream import class_groups, stream_forgetting
from ...data.images import ImageData, Images, cifar10, sample_images
from ...data.seeded import Metrics, rows_of
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

if TYPE_CHECKING:
    from torch import nn

LearnerFactory = Callable[[ImageRecipe, int], ImageLearner]
ClassGroups = tuple[NDArray[np.int64], ...]
CLASSES, STEPS = 10, 5
DRAWS = 3
"""Seeds at most where there are no labels: no claim is made there."""
OURS, CONTRASTS = "lifelong_pass_plus_plus", ("naive", "lwf", "pass")
BRANCHES = "lifelong_branch_tuning"
FORMS: Mapping[str, Literal["plain", "frozen_norms", "branches"]] = {
    BRANCHES: "branches",
    "naive_self_supervision": "plain",
    "frozen_norms": "frozen_norms",
}


@dataclass(frozen=True, kw_only=True)
class ImageScale:
    """How many images, and what trains on them."""

    name: str
    """What the case is called after."""
    images: int
    """To learn from, of each class."""
    test_images: int
    """To be measured on, of each class."""
    recipe: ImageRecipe
    """With labels."""
    unlabelled: ImageRecipe
    """Without labels."""


FULL = ImageScale(
    name="full",
    images=5000,
    test_images=1000,
    recipe=ImageRecipe(width=64, blocks=(2, 2, 2, 2), stride=1, epochs=20, batch_size=128, device="cuda"),
    unlabelled=ImageRecipe(width=64, blocks=(2, 2, 2, 2), stride=1, epochs=40, batch_size=256, device="cuda"),
)
REDUCED = ImageScale(
    name="reduced",
    images=500,
    test_images=500,
    recipe=ImageRecipe(epochs=10, batch_size=32),
    unlabelled=ImageRecipe(epochs=8, batch_size=128),
)
TINY = ImageRecipe(width=8, blocks=(1, 1), epochs=1)
QUICK = ImageScale(name="tiny", images=40, test_images=20, recipe=TINY, unlabelled=TINY)


class FirstGroupEncoder(PrototypeImageLearner):
    """The encoder trains on the first group alone; later classes are answered from their Gaussians, as ours are."""

    def _train(self, pixels: NDArray[np.uint8], places: NDArray[np.int64], teacher: nn.Sequential | None) -> None:
        if teacher is None:
            super()._train(pixels, places, teacher)


METHODS: Mapping[str, LearnerFactory] = {
    "naive": lambda recipe, seed: ImageLearner(recipe, seed=seed),
    "lwf": lambda recipe, seed: DistillationImageLearner(recipe, strength=2.0, seed=seed),
    "pass": lambda recipe, seed: PrototypeImageLearner(
        recipe, form="sampled", hardness=0.0, ensemble=False, strength=1.0, distillation=5.0, seed=seed
    ),
    "pass_plus_plus_as_published": lambda recipe, seed: PrototypeImageLearner(recipe, strength=2.0, distillation=10.0, seed=seed),
    OURS: lambda recipe, seed: PrototypeImageLearner(recipe, strength=2.0, distillation=10.0, gaussians=True, seed=seed),
    "first_group_encoder_same_answer": lambda recipe, seed: FirstGroupEncoder(recipe, gaussians=True, seed=seed),
    "replay_20": lambda recipe, seed: ReplayImageLearner(recipe, seed=seed),
}


def run_stream(learner: ImageLearner, groups: ClassGroups, train: Images, test: Images) -> dict[str, float]:
    """Learn group after group; accuracy at the end and over the steps, forgetting, and the seconds of learning alone."""
    table = np.full((len(groups), len(groups)), np.nan)
    seen: list[float] = []
    spent = 0.0
    for step, group in enumerate(groups):
        fresh = train.subset(np.isin(train.labels, group))
        start = time.perf_counter()
        learner.learn(fresh.pixels, fresh.labels)
        spent += time.perf_counter() - start
        tested = test.subset(np.isin(test.labels, np.concatenate(groups[: step + 1])))
        hits = learner.predict(tested.pixels) == tested.labels
        table[step, : step + 1] = [hits[np.isin(tested.labels, one)].mean() for one in groups[: step + 1]]
        seen.append(float(hits.mean()))
    return {"last_accuracy": seen[-1], "average_accuracy": float(np.mean(seen)), "forgetting": stream_forgetting(table), "seconds": spent}


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both cases, every method, every seed; as many seeds at once as there are cores, or one after another on a GPU."""
    import torch

    full = torch.cuda.is_available()
    scale = QUICK if quick else FULL if full else REDUCED
    images = cifar10(data)
    with worker_pool() as pool:
        cases = {
            f"cifar10 5x2 {scale.name}": (measure, seeds),
            f"cifar10 5x2 {scale.name}, no labels": (measure_unlabelled, min(seeds, DRAWS)),
        }
        begun = {
            case: [pool.submit(one, images, scale, seed, only) for seed in range(count)]
            for case, (one, count) in cases.items()
            if only.wants_case(case)
        }
        n = CLASSES * scale.test_images
        return [row for case, runs in begun.items() for row in only.rows(rows_of(case, [one.result() for one in runs], n))]


def measure(images: ImageData, scale: ImageScale, seed: int, only: RowFilter = ALL_ROWS) -> Metrics:
    """The figures of one seed, which draws the order of the classes, the images and all chance in training; methods share the draw."""
    groups, train, test = drawn(images, scale, seed)
    figures: dict[tuple[str, str], float] = {}
    for name, make in ((name, make) for name, make in METHODS.items() if only.wants_method(name)):
        found = run_stream(make(scale.recipe, seed), groups, train, test)
        figures |= {(name, metric): value for metric, value in found.items()}
        _tell(seed, name, found)
    if only.wants_method("joint"):
        found = run_stream(ImageLearner(scale.recipe, seed=seed), (np.concatenate(groups),), train, test)
        figures |= {("joint", metric): found[metric] for metric in ("last_accuracy", "seconds")}
        _tell(seed, "joint", found)
    last = {name: value for (name, metric), value in figures.items() if metric == "last_accuracy"}
    gains = {(OURS, f"gain_over_{other}"): last[OURS] - last[other] for other in CONTRASTS if {OURS, other} <= last.keys()}
    return {**figures, **gains}


def measure_unlabelled(images: ImageData, scale: ImageScale, seed: int, only: RowFilter = ALL_ROWS) -> Metrics:
    """The same for encoders without labels. The first group is learned once: all ways to go on start from the same encoder."""
    if not only.wants_any((*FORMS, "joint_self_supervision", "first_group_only")):
        return {}
    groups, train, test = drawn(images, scale, seed)
    start = time.perf_counter()
    first = SelfSupervisedEncoder(scale.unlabelled, seed=seed)
    first.learn(train.subset(np.isin(train.labels, groups[0])).pixels)
    begun = time.perf_counter() - start
    figures: dict[tuple[str, str], float] = {}
    for name, form in ((name, form) for name, form in FORMS.items() if only.wants_method(name)):
        encoder = SelfSupervisedEncoder(scale.unlabelled, form=form, seed=seed)
        encoder.restore(first.state())
        found = probed(encoder, groups, train, test)
        found["seconds"] += begun
        figures |= {(name, metric): value for metric, value in found.items()}
        _tell(seed, name, found)
    if only.wants_method("joint_self_supervision"):
        start = time.perf_counter()
        joint = SelfSupervisedEncoder(scale.unlabelled, seed=seed)
        joint.learn(train.pixels)
        found = {"seconds": time.perf_counter() - start, "probe_accuracy": float(probe(joint, train, test).mean())}
        figures |= {("joint_self_supervision", metric): value for metric, value in found.items()}
        _tell(seed, "joint_self_supervision", found)
    if only.wants_method("first_group_only"):
        figures["first_group_only", "probe_accuracy"] = float(probe(first, train, test).mean())
    for other in FORMS:
        if other != BRANCHES and only.wants_method(BRANCHES) and only.wants_method(other):
            figures[BRANCHES, f"gain_over_{other}"] = figures[BRANCHES, "probe_accuracy"] - figures[other, "probe_accuracy"]
    return figures


def drawn(images: ImageData, scale: ImageScale, seed: int) -> tuple[ClassGroups, Images, Images]:
    """The groups of classes, the images to learn from and those to be measured on."""
    draw, every = np.random.default_rng(seed), np.arange(CLASSES)
    train, test = (
        sample_images(part, every, count, draw) for part, count in ((images.train, scale.images), (images.test, scale.test_images))
    )
    return class_groups(CLASSES, STEPS, seed), train, test


def probed(encoder: SelfSupervisedEncoder, groups: ClassGroups, train: Images, test: Images) -> dict[str, float]:
    """Go on with the second group and those after it; what the features are worth at the end and over the steps, and what was forgotten.

    Forgetting is of the features: of a probe over all ten classes at every step, how far each group has fallen from its best.
    """
    table = np.full((len(groups), len(groups)), np.nan)
    seen: list[float] = []
    spent = 0.0
    for step, group in enumerate(groups):
        if step:
            fresh = train.subset(np.isin(train.labels, group)).pixels
            start = time.perf_counter()
            encoder.learn(fresh)
            spent += time.perf_counter() - start
        hits = probe(encoder, train, test)
        table[step] = [hits[np.isin(test.labels, one)].mean() for one in groups]
        seen.append(float(hits.mean()))
    best = np.tril(table) + np.triu(np.full_like(table, np.nan), 1)
    figures = {"probe_accuracy": seen[-1], "average_probe_accuracy": float(np.mean(seen)), "feature_forgetting": stream_forgetting(best)}
    return {**figures, "seconds": spent}


def probe(encoder: SelfSupervisedEncoder, train: Images, test: Images) -> NDArray[np.bool_]:
    """Which test images a ridge head over the features predicts rightly, fitted on all training images."""
    known, tested = encoder.features(train.pixels), encoder.features(test.pixels)
    mean, deviation = known.mean(0), known.std(0) + 1e-6
    head = RidgeHead()
    head.learn((known - mean) / deviation, train.labels)
    return np.asarray(head.predict((tested - mean) / deviation) == test.labels)


def _tell(seed: int, name: str, found: Mapping[str, float]) -> None:
    shown = ", ".join(f"{metric} {value:.4g}" for metric, value in found.items())
    print(f"cifar10 5x2, seed {seed}, {name}: {shown}", file=sys.stderr, flush=True)
