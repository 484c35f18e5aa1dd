"""What suggests that a task belongs to a skill: its nearest task, the skill's Gaussian, and a ridge regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Arrays, Floats, Labels, Vector
from ...numerics.class_statistics import FLOOR, whitening

CANDIDATES = 16
"""Skills, those of the nearest Gaussians, whose tasks are compared one by one: so a task costs the same however many skills there are."""
FEATURES = 2000
"""Random features of the ridge regression: 1 000 name 1 point fewer of CLINC150's validation queries rightly."""
RIDGE = 0.1
"""Its regularisation; features have a mean square of about `1 / FEATURES` times the squared length of a vector."""
SECOND_SHARE = 0.75
"""Cosine in the second view a cosine of 1 in the first, on training texts of CLINC150 and BANKING77 and their nearest of the same intent:
it stands in where a task has no second view."""
SCALE = 100.0
"""Squared distances are divided by it, so that all evidence is of the order of one."""
SMALLEST = 1e-12
"""Of the sum of all variances: a direction with less is lost in rounding, and counts as one that no row has."""
COLUMNS = 3
"""Nearest task in both views, Gaussian, ridge."""


@dataclass(frozen=True, kw_only=True)
class KnownSkills:
    """The sampled tasks of skills, in the order of `names`."""

    names: tuple[str, ...]
    """Skills, each with one task at least."""
    banks: tuple[Vector, ...]
    """Their tasks `(n, d)`, the two views side by side."""
    first: int
    """Columns of the first view."""

    @cached_property
    def means(self) -> Floats:
        """Of the first view `(skills, first)`."""
        return np.stack([bank[:, : self.first].mean(0, dtype=np.float64) for bank in self.banks])


@dataclass(frozen=True, kw_only=True)
class TaskEvidence:
    """What is read of tasks `(n, ...)`, for their candidates `(n, c)`; larger is nearer."""

    skills: Labels
    """Places of the candidates in `KnownSkills.names` `(n, c)`."""
    columns: Floats
    """Nearest task in both views, Gaussian, ridge `(n, c, 3)`."""
    nearest_first: Floats
    """Cosine to the nearest task in the first view `(n, c)`."""
    background: Floats
    """Squared distance to all tasks together over `SCALE` `(n,)`."""


@lru_cache(maxsize=4)
def projection(dimensions: int, seed: int) -> Vector:
    """Random directions `(dimensions, FEATURES)`; not to be written to."""
    return np.random.default_rng(seed).normal(size=(dimensions, FEATURES)).astype(np.float32)


def random_features(vectors: Vector, seed: int) -> Vector:
    """`max(0, W'x) sqrt(2 / m)` of rows `(n, d)`: `(n, FEATURES)`.

    McDonnell et al. 2023, "RanPAC: Random Projections and Pre-trained Models for Continual Learning", equation 3,
    https://arxiv.org/abs/2307.02251.
    """
    return np.asarray(np.maximum(vectors @ projection(vectors.shape[1], seed), 0) * np.float32(np.sqrt(2 / FEATURES)))


def ridge_weights(features: Vector, labels: Labels, classes: int, gram: Vector | None = None) -> Vector:
    """Weights `(m, classes)` of a ridge regression from features `(n, m)` to one-hot labels.

    By the smaller of the two systems: `F'(F F' + r I)^-1 Y` or `(F'F + r I)^-1 F'Y` (equation 5 of RanPAC); `gram` is `F'F` where
    it is known already.
    """
    from scipy.linalg import cho_factor, cho_solve

    targets = np.eye(classes)[labels]
    if len(features) <= features.shape[1]:
        system, right = features @ features.T, targets
    else:
        system, right = features.T @ features if gram is None else gram, features.T.astype(np.float64) @ targets
    # The products may be float32; the solve loses digits to the condition number and is done in float64.
    inner = system.astype(np.float64) + RIDGE * np.eye(len(system))
    solved = cho_solve(cho_factor(inner, check_finite=False), right, check_finite=False)
    return np.asarray(features.T @ solved if len(features) <= features.shape[1] else solved, dtype=np.float32)


def shrunk_whitening(rows: Floats, samples: float) -> Floats:
    """Whitening `(d, d)` of the covariance of deviations `(n, d)`, drawn towards a multiple of the identity, so that few are enough.

    By the share of Chen et al. 2010, "Shrinkage Algorithms for MMSE Covariance Estimation", equation 23 (OAS),
    https://arxiv.org/abs/0907.4698.
    """
    count, dimensions = rows.shape
    # Of fewer rows than columns the products of rows have the same eigenvalues, zeros aside, and there are fewer of them.
    product = (rows @ rows.T if count < dimensions else rows.T @ rows) / count
    square, trace = float(np.sum(product * product)), float(np.trace(product))
    excess = (samples + 1 - 2 / dimensions) * (square - trace**2 / dimensions)
    # No spread of the eigenvalues can be told from chance here: all of the covariance is replaced by its target.
    flat = samples < 1 or excess <= np.finfo(np.float64).eps * trace**2
    share = 1.0 if flat else min(1.0, ((1 - 2 / dimensions) * square + trace**2) / excess)
    level = share * trace / dimensions
    if count >= dimensions or trace / dimensions <= np.finfo(np.float64).eps:
        return whitening((1 - share) * product + level * np.eye(len(product))) if count >= dimensions else np.eye(dimensions)
    variances, places = np.linalg.eigh(product)
    kept = variances > SMALLEST * trace
    directions = rows.T @ (places[:, kept] / np.sqrt(count * variances[kept]))
    least = FLOOR * trace / dimensions
    # Within the rows' span each direction has its own scale; outside, where no row lies, all have that of the shrinkage.
    own, rest = 1 / np.sqrt(np.maximum((1 - share) * variances[kept] + level, least)), 1 / np.sqrt(max(level, least))
    return np.asarray(rest * np.eye(dimensions) + (directions * (own - rest)) @ directions.T)


@dataclass(frozen=True, kw_only=True)
class SharedShape:
    """What all skills share: how tasks vary within and around them, and the ridge regression over those that were there."""

    mean: Floats
    """Of all tasks in the first view `(first,)`."""
    within: Floats
    """Whitening of the covariance around the skills' means `(first, first)`."""
    total: Floats
    """Whitening of the covariance around the mean `(first, first)`."""
    names: tuple[str, ...]
    """Skills that the regression knows."""
    weights: Vector
    """Of the random features `(FEATURES, skills)`."""
    seed: int
    """Of the random features."""

    @classmethod
    def fit(cls, known: KnownSkills, seed: int, gram: Vector | None = None) -> Self:
        """From the tasks of one skill at least; `gram` is that of their random features, where it is known already."""
        labels = np.repeat(np.arange(len(known.banks)), [len(bank) for bank in known.banks])
        rows = np.concatenate([bank[:, : known.first] for bank in known.banks])
        mean = rows.mean(0, dtype=np.float64)
        around, inside = rows - mean, rows - known.means[labels]
        return cls(
            mean=mean,
            within=shrunk_whitening(inside, len(rows) - len(known.banks)),
            total=shrunk_whitening(around, len(rows) - 1),
            names=known.names,
            weights=ridge_weights(random_features(rows, seed), labels, len(known.banks), gram),
            seed=seed,
        )

    def centres(self, known: KnownSkills) -> Floats:
        """Whitened means of skills `(skills, first)`."""
        return np.asarray((known.means - self.mean) @ self.within)

    def evidence(self, known: KnownSkills, centres: Floats, vectors: Vector) -> TaskEvidence:
        """Evidence of tasks `(n, d)` for the skills whose Gaussians are nearest; a task without a second view is one of zeros."""
        first, second = vectors[:, : known.first], vectors[:, known.first :]
        rows = (first - self.mean) @ self.within
        around = (first - self.mean) @ self.total
        # |r - c|^2 = r.r - 2 r.c + c.c, which rounding may leave a little below zero.
        distances = np.maximum(
            np.einsum("nd,nd->n", rows, rows)[:, None] - 2 * rows @ centres.T + np.einsum("cd,cd->c", centres, centres), 0
        )
        count = min(CANDIDATES, len(known.names))
        skills = np.sort(np.argpartition(distances, count - 1, axis=1)[:, :count], axis=1)
        both, nearest = np.empty(skills.shape), np.empty(skills.shape)
        for skill in np.unique(skills):
            places = np.nonzero(skills == skill)
            both[places], nearest[places] = _nearest(first[places[0]], second[places[0]], known.banks[skill], known.first)
        columns = np.stack([both, -np.take_along_axis(distances, skills, axis=1) / SCALE, self._ridge(known, first, skills)], axis=2)
        background = np.einsum("nd,nd->n", around, around) / SCALE
        return TaskEvidence(skills=skills, columns=columns, nearest_first=nearest, background=background)

    def _ridge(self, known: KnownSkills, first: Vector, skills: Labels) -> Floats:
        """The regression's answers; a skill that came since gets what the others leave of one."""
        answers = (random_features(first, self.seed) @ self.weights).astype(np.float64)
        # One-hot targets: the answers of a task of a known skill sum to about one, and what is left speaks for a new skill.
        rest = np.clip(1 - answers.max(1), 0, 1)
        places = {name: place for place, name in enumerate(self.names)}
        columns = np.array([places.get(name, len(self.names)) for name in known.names], dtype=np.int64)
        return np.take_along_axis(np.column_stack([answers, rest]), columns[skills], axis=1)

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it, as plain arrays."""
        names = np.array(self.names, dtype=np.str_)
        arrays = {"mean": self.mean, "within": self.within, "total": self.total, "names": names, "weights": self.weights}
        return {**arrays, "seed": np.array(self.seed)}

    @classmethod
    def restored(cls, state: Arrays) -> Self:
        """What `state` returned."""
        return cls(
            mean=state["mean"],
            within=state["within"],
            total=state["total"],
            names=tuple(str(name) for name in state["names"]),
            weights=state["weights"],
            seed=int(state["seed"]),
        )


def _nearest(first: Vector, second: Vector, bank: Vector, width: int) -> tuple[Floats, Floats]:
    """Cosine to the nearest task of a bank, in both views on average, and in the first one: `(n,)` each."""
    cosines = first @ bank[:, :width].T
    if not second.shape[1]:
        return cosines.max(1).astype(np.float64), cosines.max(1).astype(np.float64)
    others = second @ bank[:, width:].T
    # A task that was read back from its compressed vector has no text, and so no second view.
    missing = np.logical_or.outer(_blank(second), _blank(bank[:, width:]))
    both = (cosines + np.where(missing, SECOND_SHARE * cosines, others)) / 2
    return both.max(1).astype(np.float64), cosines.max(1).astype(np.float64)


def _blank(rows: Vector) -> NDArray[np.bool_]:
    return np.asarray(~np.any(rows != 0, axis=1))


def joined(known: KnownSkills, rows: Sequence[NDArray[np.bool_]]) -> tuple[KnownSkills, Vector, list[str]]:
    """The skills with the chosen rows of each alone, and all other rows with their skills; a skill without rows is left out."""
    kept = [(name, bank[mask]) for name, bank, mask in zip(known.names, known.banks, rows, strict=True) if mask.any()]
    others = [bank[~mask] for bank, mask in zip(known.banks, rows, strict=True)]
    names = [name for name, rest in zip(known.names, others, strict=True) for _ in range(len(rest))]
    left = KnownSkills(names=tuple(name for name, _ in kept), banks=tuple(bank for _, bank in kept), first=known.first)
    return left, np.concatenate(others), names
