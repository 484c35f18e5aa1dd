"""`Recogniser`: which skill a task belongs to, and whether it is foreign to all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..core import NO_VERDICT, Verdict
from ..numerics.arrays import Vector
from ..numerics.class_statistics import ClassStatistics
from .scores.confidence import softmax_confidence
from .scores.neighbours import conformal_quantile, leave_one_out_novelty, nearest_neighbour_novelty
from .scores.relative_distance import RelativeDistance

DEFAULT_THRESHOLD = 0.5
"""Novelty at which a task is foreign while no skill has two different tasks yet."""
FEW = 8
"""Remembered tasks below which a skill has no threshold of its own."""
SAME = 1e-6
"""Novelty up to which two tasks are the same one: a repeat teaches nothing about how far tasks of a skill lie apart."""


@dataclass(frozen=True, kw_only=True)
class _Fusion:
    """Relative distance beside the nearest neighbour, made comparable on the remembered tasks, each left out in turn."""

    distance: RelativeDistance
    """To the skills' means."""
    centre: float
    """Mean relative distance of a known task."""
    scale: float
    """Spread of the nearest-neighbour novelty a spread of the relative distance."""
    novelties: Mapping[str, NDArray[np.float32]]
    """Novelty of every skill's remembered tasks, each left out in turn."""

    @classmethod
    def of(cls, moments: ClassStatistics, skills: Mapping[str, _Skill], names: tuple[str, ...]) -> _Fusion:
        distance = RelativeDistance.of(moments)
        neighbours = {name: skills[name].spread() for name in names if len(skills[name].bank) > 1}
        relatives = {
            name: distance.leave_one_out_novelty(skills[name].bank, np.full(len(skills[name].bank), place, dtype=np.int64))
            for place, name in enumerate(names)
            if name in neighbours
        }
        near, far = np.concatenate(list(neighbours.values())), np.concatenate(list(relatives.values()))
        scale = float(near.std() / max(float(far.std()), 1e-12))
        centre = float(far.mean())
        fused = {name: (neighbours[name] + scale * (relatives[name] - centre)).astype(np.float32) for name in neighbours}
        return cls(distance=distance, centre=centre, scale=scale, novelties=fused)

    def added(self, vector: Vector) -> float:
        """What the relative distance adds to the nearest-neighbour novelty of a vector `(d,)`."""
        return self.scale * (float(self.distance.novelty(vector[None, :])[0]) - self.centre)


class _Skill:
    """One skill: the exact mean of all its tasks, and a bounded sample of them."""

    def __init__(self, name: str, dimensions: int, seed: int) -> None:
        self.total: NDArray[np.float64] = np.zeros(dimensions)
        self.count = 0
        self.bank: Vector = np.zeros((0, dimensions), dtype=np.float32)
        self.offered = 0
        self.draw = np.random.default_rng([seed, crc32(name.encode())])
        self.novelties: NDArray[np.float32] | None = None

    @property
    def prototype(self) -> NDArray[np.float64]:
        norm = np.linalg.norm(self.total)
        return self.total / norm if norm > 0 else self.total

    def learn(self, vector: Vector, bank_size: int) -> bool:
        """Take in a task; whether it differs from all that are remembered."""
        self.total += vector
        self.count += 1
        if nearest_neighbour_novelty(vector, self.bank) <= SAME:
            return False
        # Reservoir sampling (Vitter 1985, algorithm R): every task ever offered is kept with the same chance.
        self.offered += 1
        place = len(self.bank) if len(self.bank) < bank_size else int(self.draw.integers(self.offered))
        if place == len(self.bank):
            self.bank = np.vstack([self.bank, vector[None, :]])
        elif place < bank_size:
            self.bank = self.bank.copy()
            self.bank[place] = vector
        else:
            return True
        self.novelties = None
        return True

    def forget(self, vector: Vector) -> bool:
        """Take a task back; whether it had been taken in as one that differs (where that is not known, that it had)."""
        self.total -= vector
        self.count -= 1
        keep = 1.0 - self.bank @ vector > SAME
        differed = not keep.all() or self.offered > len(self.bank)
        self.bank, self.novelties = self.bank[keep], None
        return differed

    def spread(self) -> NDArray[np.float32]:
        if self.novelties is None:
            self.novelties = leave_one_out_novelty(self.bank)
        return self.novelties


class Recogniser:
    """Which skill a task belongs to, and how strange it is to all of them: two scores, never one.

    The nearest prototype names the skill, the nearest neighbour says how strange the task is. From two skills and twice as many
    tasks as dimensions on, the relative distance to the skills' Gaussians is added to the neighbour's, both on the scale that
    known tasks have when each is left out in turn: what one misses, the other sees.

    A task is known while its novelty does not pass the `quantile` of the leave-one-out novelty of the nearest task's
    skill; no test data enters (law 4). A skill with few tasks borrows the threshold of all skills together. The Gaussians are
    taken anew whenever a skill's number of tasks reaches a power of two; so the state depends only on the vectors and their
    order, and can be made again from the record at any time.
    """

    def __init__(self, *, quantile: float = 0.95, temperature: float = 0.1, bank_size: int = 256, seed: int = 0) -> None:
        if not 0 < quantile <= 1 or temperature <= 0 or bank_size < 2:
            raise ValueError(f"quantile {quantile} must lie in (0, 1], temperature {temperature} above 0, bank_size {bank_size} above 1")
        self.quantile = quantile
        self.temperature = temperature
        self.bank_size = bank_size
        self.seed = seed
        self._skills: dict[str, _Skill] = {}
        self._moments: ClassStatistics | None = None
        self._numbers: dict[str, int] = {}
        self._fusion: _Fusion | None = None

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills known, sorted."""
        return tuple(sorted(self._skills))

    def fit(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Begin anew from unit vectors `(n, d)` and their skills, oldest first; an empty skill is passed over."""
        self._skills.clear()
        self._moments, self._numbers, self._fusion = None, {}, None
        told = [(vector, skill) for vector, skill in zip(vectors, skills, strict=True) if skill and vector.any()]
        # Only the last time that the Gaussians are taken anew leaves a trace.
        turns = [row for row, count in enumerate(_running_counts([skill for _, skill in told])) if _is_power_of_two(count)]
        for row, (vector, skill) in enumerate(told):
            self._remember(vector, skill)
            if turns and row == turns[-1]:
                self._take_anew()

    def learn(self, vector: Vector, skill: str) -> None:
        """Add one task, a unit vector `(d,)`; the zero vector, left by an encoder that failed, says nothing.

        Raises `ValueError` for an empty skill.
        """
        if not skill:
            raise ValueError("a task is learned under a named skill; an unnamed one waits in the novelty buffer")
        if not vector.any():
            return
        self._remember(vector, skill)
        if _is_power_of_two(self._skills[skill].count):
            self._take_anew()

    def _remember(self, vector: Vector, skill: str) -> None:
        if skill not in self._skills:
            self._skills[skill] = _Skill(skill, len(vector), self.seed)
            self._numbers[skill] = max(self._numbers.values(), default=-1) + 1
        if self._skills[skill].learn(vector, self.bank_size):
            self._moments = self._moments or ClassStatistics(len(vector))
            self._moments.learn(vector[None, :], np.array([self._numbers[skill]]))

    def _take_anew(self) -> None:
        """Take the Gaussians as they are now, where there is enough to take them from."""
        self._fusion = None
        if self._moments is not None and len(self._skills) > 1 and self._moments.counts.sum() >= 2 * self._moments.dimensions:
            names = tuple(sorted(self._numbers, key=self._numbers.__getitem__))
            self._fusion = _Fusion.of(self._moments, self._skills, names)

    def forget(self, skill: str, vectors: Iterable[Vector] | None = None) -> None:
        """Take back tasks that were learned under a skill, or the whole skill; an unknown skill is passed over.

        The mean is downdated exactly up to float64 rounding, and the tasks leave the sample. Where the sample had
        dropped others in their favour, `fit` on the record gives the state as if they had never been.
        """
        known = self._skills.get(skill)
        if known is None:
            return
        assert self._moments is not None
        number = np.array([self._numbers[skill]])
        for vector in (vector for vector in (() if vectors is None else vectors) if vector.any()):
            if known.forget(vector) and number in self._moments.labels:
                self._moments.forget(vector[None, :], number)
        if vectors is None or known.count <= 0:
            if number in self._moments.labels:
                self._moments.forget_class(int(number[0]))
            del self._skills[skill], self._numbers[skill]
        self._take_anew()

    def threshold(self, skill: str = "") -> float:
        """Largest novelty at which a task still counts as known, near this skill or (empty) over all skills."""
        spreads = self._fusion.novelties if self._fusion else {name: known.spread() for name, known in sorted(self._skills.items())}
        own = spreads.get(skill, np.zeros(0, dtype=np.float32))
        # So few tasks have no such quantile of their own: their most extreme one would stand for it.
        if own.size < max(FEW, self.quantile / max(1 - self.quantile, 1e-9)):
            own = np.concatenate([own, *(spread for name, spread in sorted(spreads.items()) if name != skill)])
        return conformal_quantile(own, self.quantile) if own.size else DEFAULT_THRESHOLD

    def judge(self, vector: Vector) -> Verdict:
        """Which skill a task, a unit vector `(d,)`, belongs to and how strange it is; `NO_VERDICT` while no skill is known.

        Whether the agent will solve it is another question: `OutcomeModel` answers that.
        """
        import torch

        if not self._skills:
            return NO_VERDICT
        names = self.skills
        cosines = np.array([self._skills[name].prototype @ vector for name in names])
        novelties = [nearest_neighbour_novelty(vector, self._skills[name].bank) for name in names]
        nearest = int(np.argmin(novelties))
        novelty = novelties[nearest] + (self._fusion.added(vector) if self._fusion else 0.0)
        return Verdict(
            skill=names[int(np.argmax(cosines))],
            known=novelty <= self.threshold(names[nearest]),
            novelty=novelty,
            confidence=float(softmax_confidence(torch.from_numpy(cosines / self.temperature))),
        )


def _running_counts(skills: Sequence[str]) -> list[int]:
    """How often each entry has occurred up to its place."""
    counts: Counter[str] = Counter()
    running: list[int] = []
    for skill in skills:
        counts[skill] += 1
        running.append(counts[skill])
    return running


def _is_power_of_two(count: int) -> bool:
    return count > 0 and count & (count - 1) == 0
