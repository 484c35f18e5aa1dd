"""Active discovery: rounds of questions to a person, and a model that learns from the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector
from ...discovery.discoverer import Discovery, DiscoveryInput, validate_input
from ...discovery.protogcd import UNLABELLED, ProtoGCD, PrototypeRecipe, project_and_assign, train_prototypes
from ...discovery.spherical import class_means
from ...scores.neighbourhood import nearest, neighbourhood_size, smoothed
from ...scores.projection import Projection
from .queries import NovelMarginQuery, Places, QueryPool, QueryStrategy

Oracle = Callable[[Places], Labels]
"""Tells the classes of unlabelled rows by their places. Known classes keep their numbers, new ones may have any others."""
ROUND = PrototypeRecipe(epochs=5, learning_rate=0.1)
"""Training after each round of answers."""
DECAY = 0.9
"""Share that the mean predictions keep of what they were."""


@dataclass(frozen=True, kw_only=True)
class ActiveRound:
    """Where the questions stand after one round; round 0 has asked nothing."""

    discovery: Discovery
    """The classes of all unlabelled rows, those asked about included."""
    asked: Places
    """Places of all rows asked about so far, in their order."""
    answers: Labels
    """What the oracle said of them."""
    named: dict[int, int]
    """Which class number of the discovery each answered class has."""


def active_discovery(
    vectors: Vector,
    known_vectors: Vector,
    known_labels: Labels,
    oracle: Oracle,
    strategy: QueryStrategy | None = None,
    *,
    rounds: int = 5,
    questions: int = 100,
    count: int | None = None,
    seed: int = 0,
    start: Discovery | None = None,
) -> Iterator[ActiveRound]:
    """Rounds of questions, one `ActiveRound` each, after round 0; fewer where all rows were asked about.

    Ma et al. 2024, "Active Generalized Category Discovery", https://arxiv.org/abs/2403.04272: the strategy chooses rows, the oracle
    names their classes, the stable
    label mapping finds the model's number for each class, and the model goes on learning with these rows labelled. `start` is a
    discovery of `ProtoGCD` over the same input to begin from. Raises as `Discoverer.discover`.
    """
    asked = validate_input(vectors, known_vectors, known_labels, count)
    strategy = strategy or NovelMarginQuery()
    discovery = start or ProtoGCD(seed=seed).discover(vectors, known_vectors, known_labels, count)
    places, answers = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    named = {label: label for label in range(asked.known)}
    mean = discovery.probabilities
    everything = _projection(discovery).transform(asked.everything)
    partners = nearest(everything, everything, neighbourhood_size(len(everything)))
    yield ActiveRound(discovery=discovery, asked=places, answers=answers, named=named)
    for turn in range(rounds):
        free = np.setdiff1d(np.arange(len(asked.vectors)), places)
        if not len(free):
            return
        seen = _projection(discovery).transform(asked.everything)
        pool = QueryPool(
            vectors=seen[free],
            probabilities=discovery.probabilities[free],
            known=asked.known,
            labelled=np.vstack([seen[len(asked.vectors) :], seen[places]]),
            answered=np.bincount([named[label] for label in answers.tolist()], minlength=discovery.count),
        )
        chosen = free[strategy.choose(pool, questions, np.random.default_rng([seed, turn]))]
        places, answers = np.concatenate([places, chosen]), np.concatenate([answers, np.asarray(oracle(chosen), dtype=np.int64)])
        named = stable_mapping(mean[places], answers, asked.known)
        labels = np.array([named[label] for label in answers.tolist()], dtype=np.int64)
        projection, kept = _corrected(discovery, asked, places, labels)
        numbers = np.zeros(int(kept.max()) + 1, dtype=np.int64)
        numbers[kept] = np.arange(len(kept))
        named = {label: int(numbers[number]) for label, number in named.items()}
        discovery = _learned(projection, asked, places, numbers[labels], seed + turn, partners)
        grown = np.pad(mean, ((0, 0), (0, max(0, int(kept.max()) + 1 - mean.shape[1]))))
        mean = DECAY * grown[:, kept] + (1 - DECAY) * discovery.probabilities
        yield ActiveRound(discovery=discovery, asked=places, answers=answers, named=named)


def stable_mapping(predictions: NDArray[np.float32], answers: Labels, known: int) -> dict[int, int]:
    """The model's number for every known class and every answered one, by mean predictions `(n, count)` of the answered rows `(n,)`.

    Known classes keep their numbers; new ones are matched to the numbers from `known` on so that the rows' predictions for their own
    class are most in all (Hungarian method). Classes for which no number is left get further ones, `count` and so on.
    """
    from scipy.optimize import linear_sum_assignment

    named = {label: label for label in range(known)}
    fresh = np.setdiff1d(answers, np.arange(known))
    agreement = np.zeros((len(fresh), max(predictions.shape[1] - known, 0)))
    for row, label in enumerate(fresh):
        agreement[row] = predictions[answers == label, known:].sum(0)
    rows, columns = linear_sum_assignment(agreement, maximize=True)
    named |= {int(fresh[row]): known + int(column) for row, column in zip(rows, columns, strict=True)}
    left_over = [int(label) for label in fresh if int(label) not in named]
    return named | {label: max(predictions.shape[1], known) + place for place, label in enumerate(left_over)}


def _projection(discovery: Discovery) -> Projection:
    """The projection of a discovery; where it has none, one that leaves unit rows as they are."""
    dimensions = discovery.prototypes.shape[1]
    plain = Projection(
        mean=np.zeros(dimensions, dtype=np.float32), matrix=np.eye(dimensions, dtype=np.float32), centres=discovery.prototypes
    )
    return discovery.projection or plain


def _corrected(discovery: Discovery, asked: DiscoveryInput, places: Places, labels: Labels) -> tuple[Projection, NDArray[np.int64]]:
    """The projection with the centres that the answers leave, and their numbers, old ones and further ones.

    A class of which rows were asked, all of them of other classes, is none. One that answers name without the model having placed
    any of them there begins where the answers are.
    """
    projection = _projection(discovery)
    count = max(discovery.count, int(labels.max(initial=-1)) + 1)
    placed = discovery.labels[places]
    missed = np.setdiff1d(labels, labels[placed == labels])
    centres = np.pad(projection.centres, ((0, count - discovery.count), (0, 0)))
    seen = projection.transform(asked.vectors)
    centres[missed] = class_means(smoothed(seen[places], projection.transform(asked.everything)), labels, count)[missed]
    refuted = np.setdiff1d(placed[placed >= asked.known], labels)
    kept = np.setdiff1d(np.arange(count), refuted)
    return Projection(mean=projection.mean, matrix=projection.matrix, centres=centres[kept]), kept


def _learned(
    projection: Projection, asked: DiscoveryInput, places: Places, labels: Labels, seed: int, partners: NDArray[np.int64]
) -> Discovery:
    """What training with the rows at `places` labelled makes of a projection."""
    seen = projection.transform(asked.everything)
    all_labels = np.concatenate([np.full(len(asked.vectors), UNLABELLED), asked.known_labels])
    all_labels[places] = labels
    centres, adapter = projection.centres, np.eye(seen.shape[1], dtype=np.float32)
    if len(centres) > 1:
        centres, adapter = train_prototypes(seen, all_labels, centres, ROUND, seed, partners)
    return project_and_assign(Projection(mean=projection.mean, matrix=projection.matrix @ adapter, centres=centres), asked)
