"""Recursive least squares beside its bounds on streams that are neither independent nor exciting, and a gradient step as contrast.

First a made stream whose truth and noise are known, so that regret and forgetting are exact and the bounds must hold: every task's
inputs lie in a plane of their own, follow their predecessors and the answers given, and leave some directions unseen for good. Then
CLINC150's classes group after group, in a random order inside each: no truth is known there, and the regret is that against the best
ridge regression in hindsight. It can be below zero for a learner that follows the group of the day, which is no proof that it remembers;
so the accuracy at the end stands beside it.

The contrast's step was chosen on class orders 100 and 101 of the training texts and on made streams of these seeds, by its regret.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ....learners.experimental.heads.recursive_least_squares import forgetting_bound, log_determinant, regret_bound, updated
from ....numerics.arrays import Floats
from ...data.class_stream import class_stream
from ...data.seeded import Metrics, seeded_rows
from ...data.texts import TextData, clinc150, sample_per_class
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

Learn = Callable[[Floats, Floats], Floats]
"""Takes one sample `(d,)` and its targets `(k,)` and gives the weights `(d, k)` learned so far, which predict what comes next."""
NOISE, LENGTH, DELTA, REGULARISATION = 0.5, 1.0, 1e-3, 1.0
"""Of the made stream: bound of the noise, length of the truth; chance that a bound may fail; and the ridge."""
PER_CLASS = 30
"""Texts of each class to learn from, so that it takes seconds."""
OURS, CONTRAST = "lifelong_rls", "online_gradient"
MADE_STEP, TEXT_STEP = 2.0, 30.0
"""Of the gradient, chosen as described above."""


@dataclass(frozen=True, kw_only=True)
class MadeStream:
    """Inputs of length at most 1, and what answers come of them."""

    truth: Floats
    """`(d,)`."""
    inputs: Floats
    """`(n, d)`."""
    answers: Floats
    """`(n,)`: the truth's, with noise."""


def made_stream(count: int, seed: int, dimensions: int = 20, tasks: int = 10) -> MadeStream:
    """A stream of tasks, the same number of samples each, in which hardly anything is independent and a fifth is never seen.

    The inputs of a task are an autoregression in three directions, driven by drawn numbers and by the last answer, and grow fainter from
    task to task; noise is uniform.
    """
    draw = np.random.default_rng(seed)
    truth = draw.normal(size=dimensions)
    truth *= LENGTH / np.linalg.norm(truth)
    seen = dimensions - dimensions // 5
    inputs, answers = np.zeros((count, dimensions)), np.zeros(count)
    state, last = np.zeros(3), 0.0
    for number in range(count):
        if number % -(-count // tasks) == 0:
            task = number // -(-count // tasks)
            plane = np.linalg.qr(draw.normal(size=(seen, 3)))[0]
        state = 0.9 * state + 0.3 * draw.normal(size=3) + 0.1 * last
        row = plane @ state / (1 + task)
        inputs[number, :seen] = row / max(1.0, float(np.linalg.norm(row)))
        answers[number] = inputs[number] @ truth + draw.uniform(-NOISE, NOISE)
        last = answers[number]
    return MadeStream(truth=truth, inputs=inputs, answers=answers)


class RecursiveLeastSquares:
    """Ridge regression after every sample."""

    def __init__(self, dimensions: int, outputs: int) -> None:
        self.inverse, self.weights = np.eye(dimensions) / REGULARISATION, np.zeros((dimensions, outputs))

    def __call__(self, row: Floats, targets: Floats) -> Floats:
        """Learn a sample."""
        self.inverse, self.weights = updated(self.inverse, self.weights, row[None], targets[None])
        return self.weights


class OnlineGradient:
    """Gradient descent on the squared error, its step `step / sqrt(k)` at the k-th sample and at most 1 (Zinkevich 2003)."""

    def __init__(self, dimensions: int, outputs: int, step: float) -> None:
        self.step, self.count, self.weights = step, 0, np.zeros((dimensions, outputs))

    def __call__(self, row: Floats, targets: Floats) -> Floats:
        """Learn a sample."""
        self.count += 1
        self.weights = self.weights + min(1.0, self.step / self.count**0.5) * np.outer(row, targets - row @ self.weights)
        return self.weights


def predicted_before(learn: Learn, inputs: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """What was predicted `(n, k)` for each sample before it was learned, and the weights at the end; the first prediction is zero."""
    predictions, weights = np.zeros_like(targets), np.zeros((inputs.shape[1], targets.shape[1]))
    for place, (row, target) in enumerate(zip(inputs, targets, strict=True)):
        predictions[place] = row @ weights
        weights = learn(row, target)
    return predictions, weights


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """The made stream at doubling lengths, then CLINC150."""
    found: list[Row] = []
    if not only.wants_any((OURS, CONTRAST)):
        return found
    for count in (500, 1000) if quick else (2000, 4000, 8000, 16000):
        found += seeded_rows(
            f"made stream of {count}, neither independent nor exciting", partial(made_figures, count), seeds, n=count, only=only
        )
    texts = clinc150(data)
    case = f"clinc150 10x15, {PER_CLASS} texts a class, one by one"
    return found + seeded_rows(case, lambda seed: text_figures(texts, seed, quick=quick), seeds, n=PER_CLASS * len(texts.names), only=only)


def made_figures(count: int, seed: int) -> Metrics:
    """Exact regret and forgetting of both learners at the end and half way, beside the bounds of ours."""
    stream = made_stream(count, seed)
    truth, true_answers = stream.truth, stream.inputs @ stream.truth
    ours = RecursiveLeastSquares(len(truth), 1)
    figures: dict[tuple[str, str], float] = {}
    for name, learn in ((OURS, ours), (CONTRAST, OnlineGradient(len(truth), 1, MADE_STEP))):
        predictions, weights = predicted_before(learn, stream.inputs, stream.answers[:, None])
        growth = np.cumsum((predictions[:, 0] - true_answers) ** 2)
        figures[name, "regret"] = float(growth[-1])
        figures[name, "regret_growth_over_second_half"] = float(growth[-1] / growth[count // 2 - 1])
        figures[name, "forgetting_x1000"] = 1000 * float(np.mean((stream.inputs @ weights[:, 0] - true_answers) ** 2))
    logdet = log_determinant(ours.inverse, REGULARISATION)
    known = {"regularisation": REGULARISATION, "length": LENGTH, "noise": NOISE, "delta": DELTA}
    limits = {"regret": regret_bound(logdet, **known), "forgetting_x1000": 1000 * forgetting_bound(logdet, count, **known)}
    for metric, limit in limits.items():
        figures[OURS, f"{metric}_bound"] = limit
        figures[OURS, f"{metric.removesuffix('_x1000')}_over_bound"] = figures[OURS, metric] / limit
    return {**figures, (OURS, "log_determinant"): logdet}


def text_figures(data: TextData, seed: int, *, quick: bool) -> Metrics:
    """Regret against the best ridge regression in hindsight, beside its bound; and accuracy before learning a text and at the end."""
    stream = class_stream(replace(data, train=sample_per_class(data.train, PER_CLASS, seed)), 10, seed, 2 if quick else None)
    draw = np.random.default_rng(seed)
    order = np.concatenate([draw.permutation(np.flatnonzero(np.isin(stream.train.labels, group))) for group in stream.groups])
    inputs, labels = stream.train.vectors[order].astype(np.float64), stream.train.labels[order]
    known = np.unique(labels)
    targets = np.eye(len(known))[np.searchsorted(known, labels)]
    ours = RecursiveLeastSquares(inputs.shape[1], len(known))
    figures: dict[tuple[str, str], float] = {}
    hindsight = 0.0
    for name, learn in ((OURS, ours), (CONTRAST, OnlineGradient(inputs.shape[1], len(known), TEXT_STEP))):
        predictions, weights = predicted_before(learn, inputs, targets)
        missed = np.sum((targets - predictions) ** 2, axis=1)
        if name == OURS:
            hindsight = float(np.sum((targets - inputs @ weights) ** 2) + REGULARISATION * np.sum(weights**2))
            limit = hindsight_bound(float(missed.max()), log_determinant(ours.inverse, REGULARISATION))
        figures[name, "regret_to_best_ridge"] = float(missed.sum()) - hindsight
        figures[name, "regret_a_text"] = (float(missed.sum()) - hindsight) / len(inputs)
        figures[name, "accuracy_before_learning"] = float(np.mean(known[predictions.argmax(1)] == labels))
        figures[name, "last_accuracy"] = float(np.mean(known[(stream.test.vectors @ weights).argmax(1)] == stream.test.labels))
    figures[OURS, "regret_to_best_ridge_bound"] = limit
    return {**figures, (OURS, "regret_over_bound"): figures[OURS, "regret_to_best_ridge"] / limit}


def hindsight_bound(largest: float, logdet: float) -> float:
    """Most that the squared error of recursive least squares can exceed that of the best ridge regression, its penalty included.

    The difference is `sum (1 - a_k) |y_k - prediction_k|^2` exactly (Azoury and Warmuth 2001, theorem 4.6), hence at most the largest of
    those squared errors times the log-determinant. No noise and no truth are assumed.
    """
    return largest * logdet
