"""`Calibration`: how sure evidence is, learned by holding known skills and known tasks out in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Arrays, Floats, Labels, Vector
from ..selective.fusion import Fusion
from .evidence import FEATURES, KnownSkills, SharedShape, TaskEvidence, joined, random_features
from .naming import fit_weights, shares

FOLDS = 5
"""Times that a share of the skills, and as large a share of the other skills' examined tasks, is held out."""
EXAMINED = 2000
"""Tasks that are held out, each once as known and once as unknown; drawn where there are more."""
FITTED = 16_384
"""Tasks that a calibration is fitted on, drawn skill by skill where there are more, so that it takes a bounded time."""
POOLED = 40.0
"""Tasks of its own that weigh as much in a skill's threshold as the held-out tasks of all skills together."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is said of tasks `(n,)`."""

    skills: Labels
    """Places of the skills named, in `KnownSkills.names`."""
    chances: Floats
    """Of each being the right one, if the task is of a known skill."""
    columns: Floats
    """Evidence that a task is unknown `(n, 5)`, larger is stranger: one minus the cosine to the nearest task of the skill named, in both
    views and in the first; its relative squared distance (Ren et al. 2021, "A Simple Fix to Mahalanobis Distance", equation 2,
    https://arxiv.org/abs/2106.09022); the entropy of the chances; and one minus the ridge regression's answer for that skill.
    """


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What evidence is worth. It follows from the sampled tasks alone: fitted without a skill, it is that of one who never saw it."""

    shape: SharedShape
    """How tasks of all skills vary."""
    weights: Floats
    """Of the evidence that names a skill."""
    novelty: Fusion
    """Log odds of an unknown task, as many of one as of the other assumed."""
    floor: Floats
    """Least of each kind of evidence against a known task that was held out `(5,)`: nothing counts as less strange. The relative distance
    alone would call a task known that lies far from everything, since the distance to all tasks together grows faster.
    """
    held_out: Mapping[str, Floats]
    """Log odds of every known task that was held out, by skill, ascending."""
    fitted: int
    """Tasks it was fitted on."""

    @classmethod
    def fit(cls, known: KnownSkills, seed: int) -> Self:
        """From the tasks of two skills at least.

        Unknown tasks are made: those of skills that are held out, as new skills of the same domain would come. Known ones are held out too,
        so that each is judged by what did not see it: cross-conformal prediction (Vovk 2015, "Cross-conformal predictors",
        https://arxiv.org/abs/1208.0806), so that no task has to be set aside for good.
        """
        known = _bounded(known, seed)
        counts = np.array([len(bank) for bank in known.banks])
        draw = np.random.default_rng(seed)
        skill_folds, total = draw.permutation(len(counts)) % min(FOLDS, len(counts)), int(counts.sum())
        row_folds = np.full(total, FOLDS)
        examined = np.sort(draw.permutation(total)[:EXAMINED])
        row_folds[examined] = draw.permutation(len(examined)) % FOLDS
        first = np.concatenate([bank[:, : known.first] for bank in known.banks])
        gram = _gram(first, seed) if total > FEATURES else None
        parts: list[FoldEvidence] = []
        for fold in range(FOLDS):
            # Known tasks are judged beside all skills, as those to come will be: beside some of them they would look surer than they are.
            gone = row_folds == fold
            parts += _held_out(known, gone, gone, True, seed, gram)
        for fold in range(skill_folds.max() + 1):
            gone = np.repeat(skill_folds == fold, counts)
            parts += _held_out(known, gone, gone & (row_folds < FOLDS), False, seed, gram)
        return cls._weighed(known, seed, gram, parts)

    @classmethod
    def _weighed(cls, known: KnownSkills, seed: int, gram: Vector | None, parts: list[FoldEvidence]) -> Self:
        """What the held-out tasks, their skills and the skills that were left say together."""
        # Tasks of skills that were held out have no right name.
        weights = _naming_weights([part for part in parts if np.isin(part[1], part[2].names).any()])
        inside: list[Floats] = []
        outside: list[Floats] = []
        owners: list[NDArray[np.str_]] = []
        for evidence, names, kept in parts:
            columns = judged(evidence, weights).columns
            mine = np.isin(names, kept.names)
            inside.append(columns[mine])
            outside.append(columns[~mine])
            owners.append(names[mine])
        floor = np.concatenate(inside).min(axis=0)
        novelty = Fusion.fit(np.concatenate(inside), np.maximum(np.concatenate(outside), floor))
        odds, owner = novelty.log_odds(np.concatenate(inside)), np.concatenate(owners)
        held_out = {name: np.sort(odds[owner == name]) for name in known.names if (owner == name).any()}
        shape = SharedShape.fit(known, seed, gram)
        fitted = sum(len(bank) for bank in known.banks)
        return cls(shape=shape, weights=weights, novelty=novelty, floor=floor, held_out=held_out, fitted=fitted)

    def judge(self, known: KnownSkills, centres: Floats, vectors: Vector) -> tuple[Judgement, Floats]:
        """What is said of tasks `(n, d)`, and their log odds of being unknown `(n,)`."""
        found = judged(self.shape.evidence(known, centres, vectors), self.weights)
        return found, self.novelty.log_odds(np.maximum(found.columns, self.floor))

    def threshold(self, skill: str, quantile: float) -> float:
        """Log odds that a `quantile` of known tasks stays below: of the skill's own held-out tasks, and of all skills' as `POOLED` ones.

        So a skill with few tasks has the threshold of all together, whose rank is the conformal one, and one with many its own.
        """
        pooled = np.concatenate(list(self.held_out.values()))
        own = self.held_out.get(skill, pooled[:0])
        values = np.concatenate([own, pooled])
        weights = np.concatenate([np.ones(len(own)), np.full(len(pooled), min(1.0, POOLED / len(pooled)))])
        order = np.argsort(values, kind="stable")
        sums = np.cumsum(weights[order])
        # The conformal rank `ceil(q (n + 1))` with weights: the new task counts as one more; the last term absorbs rounding.
        place = np.searchsorted(sums, quantile * (sums[-1] + weights.min()) - 1e-9)
        return float(values[order[min(place, len(order) - 1)]])

    @property
    def count(self) -> int:
        """Known tasks that were held out."""
        return sum(len(odds) for odds in self.held_out.values())

    def state(self, *, shape: bool = True) -> dict[str, NDArray[Any]]:
        """All of it, as plain arrays; without the shape it is some kilobytes, where the shape has a megabyte or two."""
        fusion = self.novelty
        return {
            **({f"shape_{name}": array for name, array in self.shape.state().items()} if shape else {}),
            "weights": self.weights,
            "floor": self.floor,
            "fusion": np.concatenate([fusion.centre, fusion.scale, fusion.weights, [fusion.bias]]),
            "held_out_names": np.array(list(self.held_out), dtype=np.str_),
            "held_out_sizes": np.array([len(odds) for odds in self.held_out.values()], dtype=np.int64),
            "held_out": np.concatenate(list(self.held_out.values())),
            "fitted": np.array(self.fitted),
        }

    @classmethod
    def restored(cls, state: Arrays, shape: SharedShape | None = None) -> Self:
        """What `state` returned, with this shape where it was left out."""
        centre, scale, weights = np.split(state["fusion"][:-1], 3)
        parts = np.split(state["held_out"], np.cumsum(state["held_out_sizes"])[:-1])
        return cls(
            shape=shape
            or SharedShape.restored({name.removeprefix("shape_"): array for name, array in state.items() if name.startswith("shape_")}),
            weights=state["weights"],
            floor=state["floor"],
            novelty=Fusion(centre=centre, scale=scale, weights=weights, bias=float(state["fusion"][-1])),
            held_out={str(name): part for name, part in zip(state["held_out_names"], parts, strict=True)},
            fitted=int(state["fitted"]),
        )


def judged(evidence: TaskEvidence, weights: Floats) -> Judgement:
    """The skill named for each task, and the evidence against it."""
    chances = shares(evidence.columns, weights)
    rows, best = np.arange(len(chances)), chances.argmax(axis=1)
    entropy = -(chances * np.log(np.maximum(chances, 1e-12))).sum(axis=1)
    own = evidence.columns[rows, best]
    distance = -own[:, 1] - evidence.background
    columns = np.stack([1 - own[:, 0], 1 - evidence.nearest_first[rows, best], distance, entropy, 1 - own[:, 2]], axis=1)
    return Judgement(skills=evidence.skills[rows, best], chances=chances[rows, best], columns=columns)


FoldEvidence = tuple[TaskEvidence, NDArray[np.str_], KnownSkills]
"""Evidence of held-out tasks, the names of their skills, and the skills that were left."""


def _held_out(
    known: KnownSkills, gone: NDArray[np.bool_], looked: NDArray[np.bool_], as_known: bool, seed: int, gram: Vector | None
) -> list[FoldEvidence]:
    """Evidence of the tasks `looked` at `(n,)`, among those that are `gone`, to what is left; none where nothing is left or looked at.

    Of those looked at as known ones, tasks whose skill has no other task are passed over: it is no skill any more.
    """
    ends = np.cumsum([len(bank) for bank in known.banks])[:-1]
    kept, rows, all_names = joined(known, np.split(~gone, ends))
    names = np.array(all_names, dtype=np.str_)
    wanted = looked[gone] & (np.isin(names, kept.names) if as_known else True)
    if not kept.names or not wanted.any():
        return []
    shape = SharedShape.fit(kept, seed, None if gram is None else gram - _gram(rows[:, : known.first], seed))
    return [(shape.evidence(kept, shape.centres(kept), rows[wanted]), names[wanted], kept)]


def _naming_weights(parts: list[FoldEvidence]) -> Floats:
    """Of the known tasks held out whose skill is among the candidates; candidates beyond the fewest of any fold are left out."""
    width = min(evidence.skills.shape[1] for evidence, _, _ in parts)
    columns: list[Floats] = []
    right: list[Labels] = []
    for evidence, names, kept in parts:
        # The nearest Gaussians first, so that the same number of candidates is compared in every fold.
        order = np.argsort(-evidence.columns[:, :, 1], axis=1, kind="stable")[:, :width]
        skills = np.array(kept.names, dtype=np.str_)[np.take_along_axis(evidence.skills, order, axis=1)]
        hits = skills == names[:, None]
        some = hits.any(axis=1)
        columns.append(np.take_along_axis(evidence.columns, order[:, :, None], axis=1)[some])
        right.append(hits[some].argmax(axis=1))
    return fit_weights(np.concatenate(columns), np.concatenate(right))


def _bounded(known: KnownSkills, seed: int) -> KnownSkills:
    """The same skills with `FITTED` tasks at most, or one of each."""
    counts = np.array([len(bank) for bank in known.banks])
    if counts.sum() <= FITTED:
        return known
    most = max(1, FITTED // len(counts))
    draw = np.random.default_rng(seed)
    banks = tuple(bank if len(bank) <= most else bank[np.sort(draw.permutation(len(bank))[:most])] for bank in known.banks)
    return KnownSkills(names=known.names, banks=banks, first=known.first)


def _gram(rows: Vector, seed: int, block: int = 4096) -> Vector:
    """`F'F` of the random features of rows `(n, first)`, some rows at a time."""
    total = np.zeros((FEATURES, FEATURES), dtype=np.float32)
    for start in range(0, len(rows), block):
        features = random_features(rows[start : start + block], seed)
        total += features.T @ features
    return total


def least_tasks(quantile: float) -> int:
    """Held-out tasks below which a quantile is above the largest of them: the conformal rank does not exist."""
    return ceil(quantile / (1 - quantile)) if quantile < 1 else 1
