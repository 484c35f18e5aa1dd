"""Wrong training labels: how much of a classifier's accuracy the objective saves, on CLINC150 and BANKING77.

20, 40 or 60 % of the training labels are exchanged for another class drawn evenly (symmetric noise). Every objective trains the same
linear head from the same start for the same number of steps. Each has a grid of four settings, two learning rates times two values of
the one parameter it lives by, and takes for a level the one with the best accuracy against the labels of a validation split that are noisy
in the same way, under the first draw of noise: nothing clean is looked at before the test. Bounded losses have gradients some ten times
smaller, so their learning rates are higher.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....metrics.detection import failure_aurc
from ....perception import (
    Bootstrapping,
    ClassifierRecipe,
    CrossEntropy,
    DynamicsAwareLoss,
    GeneralisedCrossEntropy,
    Objective,
    softmax_confidence,
    train_classifier,
)
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import TextData, Texts, banking77, clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

if TYPE_CHECKING:
    from torch import Tensor, nn

LEVELS = (0.2, 0.4, 0.6)
SETS = {"banking77": banking77, "clinc150": clinc150}
OURS = "lifelong"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is chosen on validation."""

    objective: Objective
    """The loss."""
    recipe: ClassifierRecipe
    """The training."""


def settings(epochs: int) -> dict[str, list[Setting]]:
    """The grid of each method; cross-entropy has no parameter but what holds it back from learning by heart, the weight decay."""
    plain = ClassifierRecipe(epochs=epochs, weight_decay=1e-3)
    decayed = replace(plain, weight_decay=4e-3)
    slow, fast = (0.01, 0.03), (0.1, 0.3)
    variants: dict[str, list[tuple[Objective, ClassifierRecipe, float]]] = {
        OURS: [(DynamicsAwareLoss(q_start), plain, rate) for q_start, rate in product((0.3, 0.6), fast)],
        "cross_entropy": [(CrossEntropy(), recipe, rate) for recipe, rate in product((plain, decayed), slow)],
        "generalised_cross_entropy": [(GeneralisedCrossEntropy(q), plain, rate) for q, rate in product((0.5, 0.7), fast)],
        "bootstrapping": [(Bootstrapping(beta), plain, rate) for beta, rate in product((0.8, 0.95), slow)],
    }
    return {
        method: [Setting(objective=objective, recipe=replace(recipe, learning_rate=rate)) for objective, recipe, rate in some]
        for method, some in variants.items()
    }


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every level on both sets, as many at once as there are cores; `quick` takes BANKING77 at 40 % and few steps."""
    jobs = [("banking77", 0.4)] if quick else list(product(SETS, LEVELS))
    with worker_pool() as pool:
        return [row for rows in pool.map(partial(_level, quick=quick, seeds=seeds, data=data, only=only), jobs) for row in rows]


def _level(job: tuple[str, float], *, quick: bool, seeds: int, data: Path, only: RowFilter) -> list[Row]:
    name, level = job
    case = f"{name}, {level:.0%} of labels wrong"
    grid = {method: some for method, some in settings(3 if quick else 20).items() if only.wants_method(method)}
    if not grid or not only.wants_case(case):
        return []
    texts = SETS[name](data)
    train, validation = noisy_splits(texts, level, seed=0)
    chosen = {method: choose(some, train, validation, len(texts.names)) for method, some in grid.items()}
    return seeded_rows(case, partial(measure, texts, level, chosen), seeds, len(texts.test))


def measure(data: TextData, level: float, chosen: Mapping[str, Setting], seed: int) -> Metrics:
    """Figures of one draw of noise and one initialisation, the same for all methods."""
    train, _ = noisy_splits(data, level, seed)
    figures: dict[tuple[str, str], float] = {}
    for method, setting in chosen.items():
        labels, confidence = predicted(fitted(setting, train, len(data.names), seed), data.test)
        correct = labels == data.test.labels
        figures[method, "accuracy"] = float(correct.mean())
        figures[method, "failure_aurc_x1000"] = 1000 * failure_aurc(confidence, correct)
    for method in chosen:
        if method != OURS and OURS in chosen:
            figures[method, "lifelong_accuracy_gain"] = figures[OURS, "accuracy"] - figures[method, "accuracy"]
    return figures


def choose(some: list[Setting], train: Texts, validation: Texts, classes: int, seed: int = 0) -> Setting:
    """The setting with the best accuracy against the validation labels, noisy as they are."""
    return max(some, key=lambda one: float((predicted(fitted(one, train, classes, seed), validation)[0] == validation.labels).mean()))


def fitted(setting: Setting, train: Texts, classes: int, seed: int) -> nn.Module:
    """A head trained under this setting."""
    import torch

    start = head(train.vectors.shape[1], classes, seed)
    recipe = replace(setting.recipe, seed=seed)
    return train_classifier(start, inputs(train.vectors), torch.from_numpy(train.labels), recipe, setting.objective)


def predicted(trained: nn.Module, texts: Texts) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Classes of texts and the confidence in them."""
    import torch

    with torch.no_grad():
        logits = trained(inputs(texts.vectors))
        return logits.argmax(1).numpy(), softmax_confidence(logits).numpy()


def noisy_splits(data: TextData, level: float, seed: int) -> tuple[Texts, Texts]:
    """Training and validation texts under noisy labels; a fifth of the training texts validates where there is no such split."""
    draw = np.random.default_rng(seed)
    train, validation = data.train, data.validation
    if not len(validation):
        order = draw.permutation(len(train))
        train, validation = data.train.subset(order[len(order) // 5 :]), data.train.subset(order[: len(order) // 5])
    classes = len(data.names)
    return train.with_labels(noisy(train.labels, level, classes, draw)), validation.with_labels(
        noisy(validation.labels, level, classes, draw)
    )


def noisy(labels: NDArray[np.int64], level: float, classes: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """A copy in which this share of the labels is another class, every other one equally likely."""
    wrong = draw.permutation(len(labels))[: round(level * len(labels))]
    changed = labels.copy()
    changed[wrong] = (changed[wrong] + draw.integers(1, classes, size=len(wrong))) % classes
    return changed


def head(dimensions: int, classes: int, seed: int) -> nn.Module:
    """A linear head; the caller's random state stays as it is."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(dimensions, classes)


def inputs(vectors: NDArray[np.float32]) -> Tensor:
    """Unit vectors `(..., d)` brought to entries of variance one, which initialisation and learning rates are made for."""
    import torch

    return torch.from_numpy(vectors * np.float32(vectors.shape[-1] ** 0.5))
