"""Two adapters over one frozen classifier of CLINC150: whether each serves its own kind of reliability, and both can be had.

A small network over sentence vectors is trained, then frozen. One adapter learns consistency between a text and two perturbed views of
it, the other to be unsure of the data set's 100 out-of-scope queries for training and of points between classes (`perception.TrustLoRA`).
Measured are failures among test texts, clean and perturbed, and the rejection of out-of-scope queries. `word_noise` is perturbed as the
views are, by other draws; `letter_noise` in ways that training never shows. How much of each adapter serves is chosen on validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....metrics.detection import auroc, failure_aurc, fpr_at_95_id_tpr
from ....numerics.arrays import Vector, l2_normalize
from ....perception import ClassifierRecipe, TrustLoRA, energy_confidence, softmax_confidence, train_classifier
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import TextData, clinc150, encoded
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .noise import inputs

if TYPE_CHECKING:
    from torch import Tensor, nn

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
OURS = "lifelong"
METHODS = (OURS, "frozen", "lifelong_covariate", "lifelong_semantic", "lifelong_both", "lifelong_semantic_taken_away")
"""They share one training, so that one alone costs as much as all."""
RANK, RATE = 16, 0.003
"""Of both adapters; the learning rate and the outliers were chosen on validation, the weights 12 and 0.5 are the papers'."""
PER_CLASS = 30
"""Training texts of each class that the adapters see, with two views each; the network itself is trained on all."""
QUICK_PER_CLASS = 4


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """CLINC150; `quick` perturbs four texts of each class and trains for two passes."""
    if not only.wants_any(METHODS):
        return []
    texts = clinc150(data)
    sets = perturbed_sets(data, QUICK_PER_CLASS if quick else PER_CLASS, whole=not quick)
    measured = partial(measure, texts, sets, 2 if quick else 20)
    return seeded_rows("clinc150, two adapters", measured, seeds, len(sets["clean"][1]), only=only)


Set = tuple[Vector, NDArray[np.int64]]


@cache
def perturbed_sets(data: Path, per_class: int, *, whole: bool) -> Mapping[str, Set]:
    """Vectors and labels by name: `per_class` training texts with two views `(n, 3, d)`, and validation and test texts clean and perturbed.

    Validation and test are whole, or `per_class` of each class as well.
    """
    plain = clinc150(data)
    train, validation, test = (part.subset(first_of_each(part.labels, per_class)) for part in (plain.train, plain.validation, plain.test))
    if whole:
        validation, test = plain.validation, plain.test
    views = [encoded(word_noise(train.texts, seed)) for seed in (1, 2)]
    return {
        "train": (np.stack([train.vectors, *views], axis=1), train.labels),
        "validation": (validation.vectors, validation.labels),
        "validation_word_noise": (encoded(word_noise(validation.texts, 3)), validation.labels),
        "clean": (test.vectors, test.labels),
        "word_noise": (encoded(word_noise(test.texts, 4)), test.labels),
        "letter_noise": (encoded(letter_noise(test.texts, 5)), test.labels),
    }


def measure(data: TextData, sets: Mapping[str, Set], epochs: int, seed: int) -> Metrics:
    """Figures of the frozen network, of each adapter alone, of both, of their contraries, and of the mixture that validation chose."""
    import torch

    recipe = ClassifierRecipe(epochs=epochs, seed=seed)
    start = network(data.train.vectors.shape[1], len(data.names), seed)
    base = train_classifier(start, inputs(data.train.vectors), torch.from_numpy(data.train.labels), recipe)
    adapters = TrustLoRA(base, rank=RANK, recipe=replace(recipe, epochs=max(1, epochs // 2), learning_rate=RATE, weight_decay=0.0))
    stacked, labels = inputs(sets["train"][0]), torch.from_numpy(sets["train"][1])
    adapters.fit_covariate(stacked, labels)
    adapters.fit_semantic(stacked[:, 0], labels, inputs(outliers(data, seed)))
    shares = {
        "frozen": (0.0, 0.0),
        "lifelong_covariate": (1.0, 0.0),
        "lifelong_semantic": (0.0, 1.0),
        "lifelong_both": (1.0, 1.0),
        "lifelong_semantic_taken_away": (0.0, -1.0),
        OURS: chosen_shares(adapters, data, sets),
    }
    return {
        (method, metric): value
        for method, (covariate, semantic) in shares.items()
        for metric, value in figures(adapters.network(covariate, semantic), sets, data.outliers_test.vectors).items()
    }


def outliers(data: TextData, seed: int) -> Vector:
    """As many points half way between training texts of two classes as rows of the few unknown training texts, over and over."""
    draw = np.random.default_rng(seed)
    one, other = (draw.permutation(len(data.train)) for _ in range(2))
    apart = data.train.labels[one] != data.train.labels[other]
    between = l2_normalize((data.train.vectors[one] + data.train.vectors[other])[apart])
    return np.concatenate([between, np.resize(data.outliers_train.vectors, between.shape)]).astype(np.float32)


def chosen_shares(adapters: TrustLoRA, data: TextData, sets: Mapping[str, Set]) -> tuple[float, float]:
    """The shares with the least unified cost on validation: failures of clean and of perturbed texts, and out-of-scope queries accepted.

    Each of the three is taken relative to the frozen network's, so that none outweighs the others by its scale.
    """
    unknown = data.outliers_validation.vectors

    def costs(model: nn.Module) -> NDArray[np.float64]:
        risks = [failure_aurc(*outcome(model, *sets[name])) for name in ("validation", "validation_word_noise")]
        return np.array([*risks, 1 - separation(model, sets["validation"][0], unknown)])

    frozen = np.maximum(costs(adapters.network(0, 0)), 1e-6)
    return min(product(WEIGHTS, WEIGHTS), key=lambda pair: float((costs(adapters.network(*pair)) / frozen).sum()))


def figures(model: nn.Module, sets: Mapping[str, Set], unknown: Vector) -> dict[str, float]:
    """What one network reaches on the test sets."""
    found: dict[str, float] = {}
    for name in ("clean", "word_noise", "letter_noise"):
        confidence, correct = outcome(model, *sets[name])
        found[f"{name}_accuracy"] = float(correct.mean())
        found[f"{name}_failure_aurc_x1000"] = 1000 * failure_aurc(confidence, correct)
    known, other = (energy_confidence(logits(model, rows)).numpy() for rows in (sets["clean"][0], unknown))
    return {**found, "oos_auroc": auroc(known, other), "oos_fpr_at_95_id_tpr": fpr_at_95_id_tpr(known, other)}


def outcome(model: nn.Module, vectors: Vector, labels: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Confidence in each answer, and whether it is right."""
    rows = logits(model, vectors)
    return softmax_confidence(rows).numpy(), rows.argmax(1).numpy() == labels


def separation(model: nn.Module, vectors: Vector, unknown: Vector) -> float:
    """AUROC of the energy, known against unknown."""
    return auroc(energy_confidence(logits(model, vectors)).numpy(), energy_confidence(logits(model, unknown)).numpy())


def logits(model: nn.Module, vectors: Vector) -> Tensor:
    """Of all vectors, without gradients."""
    import torch

    with torch.no_grad():
        rows: Tensor = model(inputs(vectors))
    return rows


def first_of_each(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The places of the first `count` samples of each class."""
    return np.concatenate([np.flatnonzero(labels == label)[:count] for label in np.unique(labels)])


def word_noise(texts: Sequence[str], seed: int) -> list[str]:
    """Every word is lost with a chance of a fifth, or has two neighbouring letters exchanged with the same chance."""

    def noisy(word: str, draw: np.random.Generator) -> str:
        chance, place = draw.random(), int(draw.integers(max(1, len(word) - 1)))
        if chance < 0.2:
            return ""
        return word[:place] + word[place : place + 2][::-1] + word[place + 2 :] if chance < 0.4 else word

    return _by_word(texts, noisy, seed)


def letter_noise(texts: Sequence[str], seed: int) -> list[str]:
    """Every word loses a letter, or has one replaced by another, with a chance of a fifth each."""

    def noisy(word: str, draw: np.random.Generator) -> str:
        chance, place, letter = draw.random(), int(draw.integers(len(word))), LETTERS[int(draw.integers(len(LETTERS)))]
        if chance >= 0.4:
            return word
        return word[:place] + (letter if chance < 0.2 else "") + word[place + 1 :]

    return _by_word(texts, noisy, seed)


def _by_word(texts: Sequence[str], noisy: Callable[[str, np.random.Generator], str], seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    changed = (" ".join(filter(None, (noisy(word, draw) for word in text.split()))) for text in texts)
    return [new or text for new, text in zip(changed, texts, strict=True)]


def network(dimensions: int, classes: int, seed: int) -> nn.Module:
    """One hidden layer; the caller's random state stays as it is."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(dimensions, 256), nn.ReLU(), nn.Linear(256, classes))
