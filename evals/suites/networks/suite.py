"""`lifelong bench networks`: classes taken back from networks that learned them, approximately.

GS-LoRA and GS-LoRA++ stand beside gradient ascent, NPO and SCRUB. The row `lifelong_gs_lora_plus_plus` is `GroupSparseConditioned`,
with a target that is ours and not the paper's in the place of its push away; `gs_lora_plus_plus_as_published` has the paper's.

MiniLM with a linear head learns CLINC150 intents, SmolLM2 learns to write their names. Then come requests, one class each, with a few
of its texts and a tenth of the texts of the classes that are kept; in a second case half of those classes have no text at hand. All
methods train adapters of the same kind on the same texts, each at the setting that was chosen for it (`_unlearning_methods`); no test
text was used for that. A network retrained without the classes is the measure of what a forgetful one says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ....core import DataMissing
from ....learners.experimental.adapters.low_rank import feed_forward_blocks
from ....learners.experimental.unlearning.objectives import GroupSparseConditioned
from ....learners.experimental.unlearning.unlearning import UnlearningRecipe, UnlearningRequest, unlearn
from ....metrics.detection import auroc
from ...data.seeded import Metrics, rows_of
from ...data.texts import TextData, Texts, clinc150
from ...data.worker_pool import compute_device, worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .methods import GRID, METHODS, NetworkMethod
from .networks import (
    Predictions,
    TokenizedTexts,
    fine_tune,
    intent_classifier,
    intent_texts,
    intent_writer,
    predict,
    relearning_steps,
    written_texts,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

RETRAINED = "retrained"
BEFORE = "before"
ANSWER = 6
"""Most tokens of an intent's name and its end."""


@dataclass(frozen=True, kw_only=True)
class NetworkScale:
    """What is learned and what is forgotten."""

    network: Literal["minilm", "smollm2"]
    """Which network."""
    classes: int
    """Learned."""
    texts: int
    """To learn from, of each class."""
    tested: int
    """To be measured on, of each class."""
    epochs: int
    """Of learning, and of retraining."""
    learning_rate: float
    """Of learning, and of retraining."""
    requests: int
    """Classes forgotten, one after another."""
    forget: int
    """Texts at hand of the class to forget."""
    retained_share: float
    """Texts at hand of the others, as a share."""
    recipe: UnlearningRecipe
    """Of every method, but for its learning rate."""
    blocks: float
    """Share of the blocks that are adapted, the last ones."""
    partly_missing: bool
    """Whether the second case is measured as well."""
    relearn: int = 2
    """Texts a class that are learned again."""
    relearn_limit: int = 40
    """Most steps of that."""


MINILM = NetworkScale(
    network="minilm",
    classes=40,
    texts=25,
    tested=30,
    epochs=4,
    learning_rate=1e-4,
    requests=20,
    forget=10,
    retained_share=0.1,
    recipe=UnlearningRecipe(steps=10, forget_batch=10, retain_batch=20, mixed_precision=True),
    blocks=1 / 3,
    partly_missing=True,
)
SMOLLM2 = NetworkScale(
    network="smollm2",
    classes=16,
    texts=8,
    tested=8,
    epochs=4,
    learning_rate=1e-4,
    requests=5,
    forget=4,
    retained_share=0.25,
    recipe=UnlearningRecipe(steps=8, forget_batch=4, retain_batch=8, mixed_precision=True),
    blocks=1 / 3,
    partly_missing=False,
    relearn_limit=12,
)
ON_GPU = (
    replace(MINILM, classes=60, texts=100, forget=10, recipe=replace(MINILM.recipe, steps=40, retain_batch=30)),
    replace(SMOLLM2, classes=60, texts=40, tested=30, requests=20, forget=10, retained_share=0.1, partly_missing=True, relearn_limit=40),
)
QUICK = replace(MINILM, classes=6, texts=6, tested=5, requests=2, epochs=2, forget=4, retained_share=0.5, relearn_limit=3)


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A network that knows its classes, which are numbered in the order in which they will be forgotten, and its texts."""

    scale: NetworkScale
    """How much."""
    network: nn.Sequential
    """It knows all classes."""
    train: TokenizedTexts
    """What it learned from."""
    test: TokenizedTexts
    """What it is measured on."""


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both networks, every seed, as many at once as there are cores; `quick` is MiniLM at a toy's size.

    Raises `DataMissing` where no data directory is named.
    """
    import torch

    if data is None:
        raise DataMissing("suite networks reads clinc150 (lifelong bench --list); name their directory with --data or LIFELONG_DATA")
    every = (QUICK,) if quick else ON_GPU if torch.cuda.is_available() else (SMOLLM2, MINILM)
    scales = tuple(scale for scale in every if any(only.wants_case(case_of(scale, missing)) for missing in cases_of(scale)))
    jobs = [(scale, seed) for scale in scales for seed in range(seeds)]
    if quick:
        measured = [measure(job, data=data, only=only) for job in jobs]
    else:
        with worker_pool() as pool:
            measured = list(pool.map(partial(measure, data=data, only=only), jobs))
    rows: list[Row] = []
    for scale in scales:
        runs = [cases for (one, _), cases in zip(jobs, measured, strict=True) if one is scale]
        for case in runs[0]:
            rows += rows_of(case, [cases[case] for cases in runs], n=scale.tested * scale.classes)
    return only.rows(rows)


def cases_of(scale: NetworkScale) -> tuple[bool, ...]:
    """Whether half of the kept classes are missing, for each case of a network."""
    return (False, True) if scale.partly_missing else (False,)


def case_of(scale: NetworkScale, missing: bool) -> str:
    """A case as the table names it."""
    some = f"{scale.retained_share:.0%} of the kept texts" + (", half of the classes missing" if missing else "")
    return f"{scale.network}, {scale.requests} of {scale.classes} classes, {scale.forget} texts each, {some}"


def measure(job: tuple[NetworkScale, int], *, data: Path, only: RowFilter = ALL_ROWS) -> dict[str, Metrics]:
    """The figures of one network and one seed, which draws classes, texts and all orders, by case."""
    scale, seed = job
    learned = learn(scale, clinc150(data), seed)
    started = time.perf_counter()
    ideal = retrained(learned, seed)
    seconds = time.perf_counter() - started
    measured_as = partial(_measured, learned, predict(learned.network, learned.test), predict(ideal, learned.test))
    contrasts = {
        **measured_as(BEFORE, learned.network, 0.0),
        **measured_as(RETRAINED, ideal, seconds),
        ("chance", "forget_accuracy"): 1 / scale.classes,
    }
    figures: dict[str, Metrics] = {}
    for missing in (missing for missing in cases_of(scale) if only.wants_case(case_of(scale, missing))):
        requests = requested(learned, seed, missing=missing)
        case = dict(contrasts)
        for name, method in METHODS[scale.network].items():
            if not only.wants_method(name):
                continue
            started = time.perf_counter()
            network = forgotten(learned.network, requests, method, scale, seed)
            case.update(measured_as(name, network, (time.perf_counter() - started) / len(requests)))
        figures[case_of(scale, missing)] = case
    return figures


def learn(scale: NetworkScale, texts: TextData, seed: int, *, on_validation: bool = False) -> Learned:
    """Draw classes and texts and train; what is measured are test texts, or validation texts."""
    device = compute_device()
    draw = np.random.default_rng(seed)
    classes = draw.permutation(len(texts.names))[: scale.classes]
    names = [texts.names[number] for number in classes]
    train = _material(scale, _some(texts.train, classes, scale.texts, draw), names, device)
    test = _material(scale, _some(texts.validation if on_validation else texts.test, classes, scale.tested, draw), names, device)
    return Learned(scale=scale, network=_fitted(scale, train, seed), train=train, test=test)


def retrained(learned: Learned, seed: int) -> nn.Sequential:
    """A network trained in the same way that never saw the classes to be forgotten."""
    return _fitted(learned.scale, learned.train.subset(learned.train.classes >= learned.scale.requests), seed)


def choose(scale: NetworkScale, texts: TextData, seeds: Sequence[int] = (100, 101)) -> dict[str, list[float]]:
    """What `CHOSEN` is made of: the H-mean on validation texts of each setting, mean over both cases and draws of classes."""
    drawn = [(learn(scale, texts, seed, on_validation=True), seed) for seed in seeds]
    cases = cases_of(scale)

    def reached(method: NetworkMethod) -> float:
        return float(np.mean([_h_mean(learned, seed, method, missing=missing) for learned, seed in drawn for missing in cases]))

    return {name: [reached(method) for method in some] for name, some in GRID[scale.network].items()}


def _h_mean(learned: Learned, seed: int, method: NetworkMethod, *, missing: bool) -> float:
    scale, classes = learned.scale, learned.test.classes
    known, _ = accuracies(predict(learned.network, learned.test), classes, scale.requests)
    network = forgotten(learned.network, requested(learned, seed, missing=missing), method, scale, seed)
    left, kept = accuracies(predict(network, learned.test), classes, scale.requests)
    return forgetting_h_mean(known - left, kept)


def requested(learned: Learned, seed: int, *, missing: bool) -> list[UnlearningRequest]:
    """The requests in their order; kept samples are those of classes not yet named, so that a class is kept until its turn."""
    scale, train = learned.scale, learned.train
    draw = np.random.default_rng(1000 + seed)
    at_hand = draw.random(len(train.classes)).argsort()[: round(scale.retained_share * len(train.classes))]
    absent = draw.permutation(scale.classes)[: scale.classes // 2 if missing else 0]
    at_hand = at_hand[~np.isin(train.classes[at_hand], absent)]
    requests = []
    for number in range(scale.requests):
        gone = train.subset(draw.permutation(np.flatnonzero(train.classes == number))[: scale.forget])
        kept = train.subset(at_hand[train.classes[at_hand] > number])
        requests.append(UnlearningRequest(forget=gone.inputs, forget_labels=gone.labels, retain=kept.inputs, retain_labels=kept.labels))
    return requests


def forgotten(
    network: nn.Sequential, requests: Sequence[UnlearningRequest], method: NetworkMethod, scale: NetworkScale, seed: int
) -> nn.Sequential:
    """The network after all the requests."""
    names = feed_forward_blocks(network)
    last = [names[-1][-1:]] if method.last_layer else names[-max(1, round(scale.blocks * len(names))) :]
    objective, steps = method.objective, method.steps * scale.recipe.steps
    for number, request in enumerate(requests):
        recipe = replace(scale.recipe, steps=steps, learning_rate=method.learning_rate, seed=100 * seed + number)
        if isinstance(objective, GroupSparseConditioned) and request.forget_labels.dim() == 1:
            objective = replace(objective, gone=tuple(range(number)))
        network = unlearn(network, request, objective, recipe, last).network
    return network


def forgetting_h_mean(drop: float, retained: float) -> float:
    """`2 drop retained / (drop + retained)`, of the accuracy lost on the forgotten and that left on the kept; 0 without drop."""
    return 2 * drop * retained / (drop + retained) if drop > 0 and retained > 0 else 0.0


def total_variation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Mean over rows of half the sum of absolute differences of two tables of probabilities, in [0, 1]."""
    return float(np.abs(one.astype(np.float64) - other).sum(-1).mean() / 2)


def accuracies(found: Predictions, classes: NDArray[np.int64], requests: int) -> tuple[float, float]:
    """On the forgotten and on the kept classes."""
    return float(found.correct[classes < requests].mean()), float(found.correct[classes >= requests].mean())


def _measured(learned: Learned, before: Predictions, ideal: Predictions, name: str, network: nn.Sequential, seconds: float) -> Metrics:
    scale, gone = learned.scale, learned.test.classes < learned.scale.requests
    found = predict(network, learned.test)
    seen = predict(network, learned.train.subset(learned.train.classes < scale.requests))
    (known, kept_before), (left, kept) = (accuracies(one, learned.test.classes, scale.requests) for one in (before, found))
    few = np.concatenate([np.flatnonzero(learned.train.classes == number)[: scale.relearn] for number in range(scale.requests)])
    figures = {
        "forget_accuracy": left,
        "retain_accuracy": kept,
        "retain_drop": kept_before - kept,
        "forgetting_h_mean": forgetting_h_mean(known - left, kept),
        "total_variation_to_retrained_on_forgotten": total_variation(found.chances[gone], ideal.chances[gone]),
        "total_variation_to_retrained_on_kept": total_variation(found.chances[~gone], ideal.chances[~gone]),
        "membership_inference_auroc": auroc(-seen.losses, -found.losses[gone]),
        "relearning_steps": float(relearning_steps(network, learned.train.subset(few), scale.relearn_limit)),
        "seconds_a_request": seconds,
    }
    return {(name, metric): value for metric, value in figures.items()}


def _fitted(scale: NetworkScale, train: TokenizedTexts, seed: int) -> nn.Sequential:
    device = train.inputs.device
    network = intent_classifier(scale.classes, device) if scale.network == "minilm" else intent_writer(device, ANSWER)
    fine_tune(network, train, epochs=scale.epochs, learning_rate=scale.learning_rate, seed=seed)
    return network


def _some(texts: Texts, classes: NDArray[np.int64], count: int, draw: np.random.Generator) -> Texts:
    rows = np.concatenate([draw.permutation(np.flatnonzero(texts.labels == number))[:count] for number in classes])
    order = np.argsort(classes)
    return texts.subset(rows).with_labels(order[np.searchsorted(classes[order], texts.labels[rows])])


def _material(scale: NetworkScale, texts: Texts, names: Sequence[str], device: torch.device) -> TokenizedTexts:
    if scale.network == "minilm":
        return intent_texts(texts.texts, texts.labels, device)
    return written_texts(texts.texts, texts.labels, names, ANSWER, device)
