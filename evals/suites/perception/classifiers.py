"""Known and unknown texts for the classifier's benchmarks, the classifier fitted to them, and the plain scores it is set against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....core.plugins import create
from ....numerics.arrays import AnyFloats
from ....perception import (
    ClassifierRecipe,
    ClassMeanNovelty,
    EnergyConfidence,
    EntropyConfidence,
    HeadEnsemble,
    MahalanobisNovelty,
    MarginConfidence,
    MaximumLogitConfidence,
    NearestNeighbourNovelty,
    RelativeMahalanobisNovelty,
    Scorer,
    SelectiveClassifier,
    SoftmaxConfidence,
    VirtualLogitNovelty,
    train_classifier,
)
from ...data.logistic import chosen_logistic
from ...data.texts import HASHED, OUT_OF_SCOPE, TextData, Texts, clinc150, two_views
from .own_scorers import novelty_sign

VALIDATION = 0.1
"""Share of the training texts that validate where a data set has no validation split."""
MEMBERS = 5
"""Heads of the classifier."""
QUICK_CLASSES = 16
QUICK_EPOCHS = 5

Confidences = Mapping[str, AnyFloats]
"""Confidence `(n,)` by method, larger is surer."""


@dataclass(frozen=True, kw_only=True)
class OpenSetSplit:
    """What one seed of one case learns from and is measured on; class numbers run from 0 to the number known."""

    train: Texts
    """Of known classes."""
    validation: Texts
    """Of known classes, to choose and to calibrate with."""
    test: Texts
    """Of known classes."""
    unknown: Texts
    """Of no known class, to be measured on."""
    outliers: Texts
    """Of no class, to train with."""
    validation_outliers: Texts
    """Of no class, to choose with; empty where classes are held out instead."""


def full_split(data: TextData) -> OpenSetSplit:
    """All classes known and the official outliers unknown."""
    outliers = concatenate(data.sentences, data.outliers_train)
    return OpenSetSplit(
        train=data.train,
        validation=data.validation,
        test=data.test,
        unknown=data.outliers_test,
        outliers=outliers,
        validation_outliers=data.outliers_validation,
    )


def partial_split(data: TextData, share: float, seed: int, sentences: Texts) -> OpenSetSplit:
    """A share of the classes known, drawn by the seed; the others, and the outliers if any, are unknown and seen in the test only.

    Without a validation split a tenth of the training texts, drawn by the seed, takes its place. The heads' outliers are
    sentences of an encyclopaedia, which say nothing of the held-out classes.
    """
    draw = np.random.default_rng(seed)
    known = np.sort(draw.permutation(len(data.names))[: round(share * len(data.names))])
    numbers = np.full(len(data.names), OUT_OF_SCOPE, dtype=np.int64)
    numbers[known] = np.arange(len(known))
    train, validation = data.train, data.validation
    if not len(validation):
        held = np.zeros(len(train), dtype=bool)
        held[draw.permutation(len(train))[: round(VALIDATION * len(train))]] = True
        train, validation = data.train.subset(~held), data.train.subset(held)
    train, validation, test = (texts.with_labels(numbers[texts.labels]) for texts in (train, validation, data.test))
    return OpenSetSplit(
        train=train.subset(train.labels != OUT_OF_SCOPE),
        validation=validation.subset(validation.labels != OUT_OF_SCOPE),
        test=test.subset(test.labels != OUT_OF_SCOPE),
        unknown=concatenate(test.subset(test.labels == OUT_OF_SCOPE), data.outliers_test),
        outliers=sentences,
        validation_outliers=data.outliers_validation.subset(np.zeros(len(data.outliers_validation), dtype=bool)),
    )


def subset_split(split: OpenSetSplit, classes: int = QUICK_CLASSES) -> OpenSetSplit:
    """The first classes only, for a quick look."""
    fewer = {name: getattr(split, name) for name in ("train", "validation", "test")}
    fewer = {name: texts.subset(texts.labels < classes) for name, texts in fewer.items()}
    return replace(split, **fewer, outliers=split.outliers.subset(np.arange(len(split.outliers)) < 500))


def fitted_classifier(
    split: OpenSetSplit, seed: int, *, members: int, rounds: int, rejection_rate: float, quick: bool
) -> SelectiveClassifier:
    """The classifier as its defaults make it, on what a split offers."""
    classifier = SelectiveClassifier(
        widths=(split.train.vectors.shape[1], HASHED),
        members=1 if quick else members,
        rounds=1 if quick else rounds,
        recipe=_recipe(quick, seed),
        rejection_rate=rejection_rate,
        seed=seed,
    )
    return classifier.fit(
        two_views(split.train),
        split.train.labels,
        two_views(split.validation),
        split.validation.labels,
        outliers=two_views(split.outliers) if len(split.outliers) else None,
        validation_outliers=two_views(split.validation_outliers) if len(split.validation_outliers) else None,
    )


@cache
def classifier_on_clinc150(data: Path, seed: int, quick: bool) -> tuple[OpenSetSplit, SelectiveClassifier]:
    """All of CLINC150 and the classifier on it, fitted once a seed: two cases read it."""
    split = subset_split(full_split(clinc150(data))) if quick else full_split(clinc150(data))
    return split, fitted_classifier(split, seed, members=MEMBERS, rounds=1, rejection_rate=0.05, quick=quick)


SCORERS: Mapping[str, Callable[[], Scorer]] = {
    "msp": SoftmaxConfidence,
    "margin": MarginConfidence,
    "entropy": EntropyConfidence,
    "max_logit": MaximumLogitConfidence,
    "energy": EnergyConfidence,
    "nearest_class_mean": ClassMeanNovelty,
    "mahalanobis": MahalanobisNovelty,
    "relative_mahalanobis": RelativeMahalanobisNovelty,
    "knn1": NearestNeighbourNovelty,
    "knn10": lambda: NearestNeighbourNovelty(10),
    "vim": VirtualLogitNovelty,
}
"""Plain scores over a linear head and the sentence vectors."""
SUMS = {"msp+knn1": ("msp", "knn1"), "entropy+rmd+knn1": ("entropy", "relative_mahalanobis", "knn1")}
"""Sums of plain scores, standardised on validation."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a baseline says of texts: the classes that its head names and its confidences, by method."""

    labels: NDArray[np.int64]
    """Classes named `(n,)`."""
    confidences: Confidences
    """Larger is surer."""


def linear_head(split: OpenSetSplit, seed: int, quick: bool, own: Sequence[str] = ()) -> Callable[[Texts], Answers]:
    """All plain scores over one linear head, trained by cross-entropy; `own` names scorers besides, as `lifelong.core.plugins` does."""
    import torch

    rows, labels = split.train.vectors, split.train.labels
    mean, scale = rows.mean(0), np.float32(1 / np.sqrt(((rows - rows.mean(0)) ** 2).mean()))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        plain = torch.nn.Linear(rows.shape[1], int(labels.max()) + 1)
    head = train_classifier(plain, torch.from_numpy((rows - mean) * scale), torch.from_numpy(labels), _recipe(quick, seed))

    def logits(texts: Texts) -> NDArray[np.float32]:
        with torch.no_grad():
            return np.asarray(head(torch.from_numpy((texts.vectors - mean) * scale)).numpy())

    seen = logits(split.train)
    makes: dict[str, Callable[[], Scorer]] = {**SCORERS, **{name: partial(create, "scorers", name) for name in own}}
    scorers = {name: make().fit(rows, seen, labels) for name, make in makes.items()}

    def scored(texts: Texts) -> dict[str, AnyFloats]:
        outputs = logits(texts)
        return {name: -novelty_sign(scorer) * scorer.score(texts.vectors, outputs).astype(np.float64) for name, scorer in scorers.items()}

    spread = {name: (values.mean(), max(values.std(), 1e-12)) for name, values in scored(split.validation).items()}

    def answer(texts: Texts) -> Answers:
        plain = scored(texts)
        sums = {name: np.sum([(plain[one] - spread[one][0]) / spread[one][1] for one in ones], axis=0) for name, ones in SUMS.items()}
        return Answers(labels=logits(texts).argmax(1), confidences={**plain, **sums})

    return answer


def with_two_views(split: OpenSetSplit) -> OpenSetSplit:
    """The same split with both views of its texts as their vectors, scaled to unit length: what ours reads."""
    parts = ("train", "validation", "test", "unknown", "outliers", "validation_outliers")
    return replace(split, **{name: _seen_twice(getattr(split, name)) for name in parts})


def _seen_twice(texts: Texts) -> Texts:
    return replace(texts, vectors=two_views(texts) / np.float32(np.sqrt(2))) if len(texts) else texts


def logistic(split: OpenSetSplit) -> Callable[[Texts], Answers]:
    """Logistic regression whose C is chosen on a held-out fifth of the training texts, with its probability, entropy and energy."""
    from scipy.special import logsumexp

    model, _ = chosen_logistic(split.train.vectors, split.train.labels)

    def answer(texts: Texts) -> Answers:
        logits = np.asarray(model.decision_function(texts.vectors), dtype=np.float64)
        if logits.ndim == 1:  # two classes have one logit
            logits = np.stack([-logits / 2, logits / 2], axis=1)
        energy = logsumexp(logits, axis=1)
        logs = logits - energy[:, None]
        scores = {"logistic_msp": np.exp(logs.max(1)), "logistic_entropy": (np.exp(logs) * logs).sum(1), "logistic_energy": energy}
        return Answers(labels=np.asarray(model.classes_[logits.argmax(1)]), confidences=scores)

    return answer


def head_ensemble(split: OpenSetSplit, seed: int, name: str, *, members: int, outliers: bool, quick: bool) -> Callable[[Texts], Answers]:
    """Heads of one hidden layer alone, by cross-entropy or OpenMix, with their largest probability, entropy and energy."""
    heads = HeadEnsemble(1 if quick else members, recipe=_recipe(quick, seed))
    heads.fit(split.train.vectors, split.train.labels, split.outliers.vectors if outliers else None)

    def answer(texts: Texts) -> Answers:
        outputs = heads.outputs(texts.vectors)
        chances = outputs.probabilities
        entropy = (chances * np.log(np.maximum(chances, 1e-12))).sum(1)
        scores = {f"{name}_msp": chances.max(1), f"{name}_entropy": entropy, f"{name}_energy": outputs.energy}
        return Answers(labels=heads.labels[chances.argmax(1)], confidences=scores)

    return answer


def _recipe(quick: bool, seed: int) -> ClassifierRecipe:
    return ClassifierRecipe(epochs=QUICK_EPOCHS, seed=seed) if quick else ClassifierRecipe(seed=seed)


def concatenate(first: Texts, second: Texts) -> Texts:
    """Both, the first before the second."""
    return Texts(
        texts=first.texts + second.texts,
        labels=np.full(len(first) + len(second), OUT_OF_SCOPE, dtype=np.int64),
        vectors=np.vstack([first.vectors, second.vectors]),
    )
