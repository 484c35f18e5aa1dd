"""`Recogniser`: which skill a task belongs to, and whether it is foreign to all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..core import NO_VERDICT, Verdict
from .confidence import softmax_confidence
from .encoder import Vector
from .scores import conformal_quantile, leave_one_out_novelty, nearest_neighbour_novelty

DEFAULT_THRESHOLD = 0.5
"""Novelty at which a task is foreign while no skill has two different tasks yet."""
FEW = 8
"""Remembered tasks below which a skill has no threshold of its own."""
SAME = 1e-6
"""Novelty up to which two tasks are the same one: a repeat teaches nothing about how far tasks of a skill lie apart."""


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

    def learn(self, vector: Vector, bank_size: int) -> None:
        self.total += vector
        self.count += 1
        if nearest_neighbour_novelty(vector, self.bank) <= SAME:
            return
        # Reservoir sampling (Vitter 1985, algorithm R): every task ever offered is kept with the same chance.
        self.offered += 1
        place = len(self.bank) if len(self.bank) < bank_size else int(self.draw.integers(self.offered))
        if place == len(self.bank):
            self.bank = np.vstack([self.bank, vector[None, :]])
        elif place < bank_size:
            self.bank = self.bank.copy()
            self.bank[place] = vector
        else:
            return
        self.novelties = None

    def forget(self, vector: Vector) -> None:
        self.total -= vector
        self.count -= 1
        keep = 1.0 - self.bank @ vector > SAME
        self.bank, self.novelties = self.bank[keep], None

    def spread(self) -> NDArray[np.float32]:
        if self.novelties is None:
            self.novelties = leave_one_out_novelty(self.bank)
        return self.novelties


class Recogniser:
    """Nearest prototype names the skill, the nearest neighbour says how strange the task is: two scores, never one.

    A task is known while its novelty does not pass the `quantile` of the leave-one-out novelty of the nearest task's
    skill; no test data enters (law 4). A skill with few tasks borrows the threshold of all skills together. The state
    depends only on the vectors and their order, so that it can be made again from the record at any time.
    """

    def __init__(self, *, quantile: float = 0.95, temperature: float = 0.1, bank_size: int = 256, seed: int = 0) -> None:
        if not 0 < quantile <= 1 or temperature <= 0 or bank_size < 2:
            raise ValueError(f"quantile {quantile} must lie in (0, 1], temperature {temperature} above 0, bank_size {bank_size} above 1")
        self.quantile = quantile
        self.temperature = temperature
        self.bank_size = bank_size
        self.seed = seed
        self._skills: dict[str, _Skill] = {}

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills known, sorted."""
        return tuple(sorted(self._skills))

    def fit(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Begin anew from unit vectors `(n, d)` and their skills, oldest first; an empty skill is passed over."""
        self._skills.clear()
        for vector, skill in zip(vectors, skills, strict=True):
            if skill:
                self.learn(vector, skill)

    def learn(self, vector: Vector, skill: str) -> None:
        """Add one task, a unit vector `(d,)`; the zero vector, left by an encoder that failed, says nothing.

        Raises `ValueError` for an empty skill.
        """
        if not skill:
            raise ValueError("a task is learned under a named skill; an unnamed one waits in the novelty buffer")
        if not vector.any():
            return
        if skill not in self._skills:
            self._skills[skill] = _Skill(skill, len(vector), self.seed)
        self._skills[skill].learn(vector, self.bank_size)

    def forget(self, skill: str, vectors: Iterable[Vector] | None = None) -> None:
        """Take back tasks that were learned under a skill, or the whole skill; an unknown skill is passed over.

        The mean is downdated exactly up to float64 rounding, and the tasks leave the sample. Where the sample had
        dropped others in their favour, `fit` on the record gives the state as if they had never been.
        """
        known = self._skills.get(skill)
        if known is None:
            return
        for vector in () if vectors is None else vectors:
            known.forget(vector)
        if vectors is None or known.count <= 0:
            del self._skills[skill]

    def threshold(self, skill: str = "") -> float:
        """Largest novelty at which a task still counts as known, near this skill or (empty) over all skills."""
        own = self._skills[skill].spread() if skill in self._skills else np.zeros(0, dtype=np.float32)
        if own.size < FEW:
            own = np.concatenate([own, *(known.spread() for name, known in sorted(self._skills.items()) if name != skill)])
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
        skill = names[int(np.argmax(cosines))]
        return Verdict(
            skill=skill,
            known=novelties[nearest] <= self.threshold(names[nearest]),
            novelty=novelties[nearest],
            confidence=float(softmax_confidence(torch.from_numpy(cosines / self.temperature))),
        )
