"""`Recogniser`: which skill a task belongs to, and whether it is out of scope of all of them.

Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors", https://arxiv.org/abs/2204.06507; Ren et al. 2021, "A Simple
Fix to Mahalanobis Distance for Improving Near-OOD Detection", https://arxiv.org/abs/2106.09022, equation 3. That both are learned a task
at a time, and that known tasks are left out in turn to set their scale, is this project's own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import NO_VERDICT, Verdict
from ..numerics.arrays import Arrays, Floats, Vector
from ..numerics.class_statistics import ClassStatistics
from .scores.neighbours import conformal_quantile, leave_one_out_novelty, nearest_neighbour_novelty
from .scores.relative_distance import RelativeDistance

DEFAULT_THRESHOLD = 0.65
"""Novelty up to which a task is known, at least, while there are too few tasks for a quantile: unrelated texts lie farther apart."""
NEAR_DUPLICATE = 0.15
"""Novelty against the nearest task of a skill with few tasks up to which a task is known whatever the threshold. 0.3 % of CLINC150's
out-of-scope queries lie that near to a training text, and 47 % of the queries in scope."""
FEW = 8
"""Remembered tasks below which a skill has no threshold of its own."""
SAME = 1e-6
"""Novelty up to which two tasks are the same one: a repeat teaches nothing about how far tasks of a skill lie apart."""
CHUNK = 1024
"""Tasks of one skill that are compared with its sample, and with each other, at a time."""


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
    def fit(cls, skills: Mapping[str, _Skill]) -> _Fusion:
        """Of skills in the order of their names."""
        banks = [known.bank for known in skills.values()]
        labels = np.repeat(np.arange(len(banks)), [len(bank) for bank in banks])
        distance = RelativeDistance.from_statistics(ClassStatistics.from_samples(np.concatenate(banks), labels))
        places = {name: place for place, name in enumerate(name for name, known in skills.items() if len(known.bank))}
        neighbours = {name: known.spread() for name, known in skills.items() if len(known.bank) > 1}
        relatives = {
            name: distance.leave_one_out_novelty(skills[name].bank, np.full(len(skills[name].bank), places[name], dtype=np.int64))
            for name in neighbours
        }
        near, far = np.concatenate(list(neighbours.values())), np.concatenate(list(relatives.values()))
        scale = float(near.std() / max(float(far.std()), 1e-12))
        centre = float(far.mean())
        fused = {name: (neighbours[name] + scale * (relatives[name] - centre)).astype(np.float32) for name in neighbours}
        return cls(distance=distance, centre=centre, scale=scale, novelties=fused)

    def added(self, vector: Vector) -> float:
        """What the relative distance adds to the nearest-neighbour novelty of a vector `(d,)`."""
        return self.scale * (float(self.distance.novelty(vector[None, :])[0]) - self.centre)

    def state(self) -> dict[str, NDArray[Any]]:
        distance = self.distance
        return {
            "fusion_mean": distance.mean,
            "fusion_within": distance.within,
            "fusion_total": distance.total,
            "fusion_centres": distance.centres,
            "fusion_counts": distance.counts,
            "fusion_scaling": np.array([self.centre, self.scale]),
            "fusion_names": np.array(list(self.novelties), dtype=np.str_),
            "fusion_sizes": np.array([len(one) for one in self.novelties.values()], dtype=np.int64),
            "fusion_novelties": np.concatenate(list(self.novelties.values())),
        }

    @classmethod
    def restored(cls, state: Arrays) -> _Fusion:
        parts = np.split(state["fusion_novelties"], np.cumsum(state["fusion_sizes"])[:-1])
        centre, scale = (float(value) for value in state["fusion_scaling"])
        distance = RelativeDistance(
            mean=state["fusion_mean"],
            within=state["fusion_within"],
            total=state["fusion_total"],
            centres=state["fusion_centres"],
            counts=state["fusion_counts"],
        )
        novelties = {str(name): part for name, part in zip(state["fusion_names"], parts, strict=True)}
        return cls(distance=distance, centre=centre, scale=scale, novelties=novelties)


class _Skill:
    """One skill: the exact mean of all its tasks, and a bounded sample of the different ones among them."""

    def __init__(self, name: str, dimensions: int, seed: int) -> None:
        self.name = name
        self.seed = seed
        self.total: Floats = np.zeros(dimensions)
        self.count = 0
        self.bank: Vector = np.zeros((0, dimensions), dtype=np.float32)
        self.repeats: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """How often each task of the sample was seen again while it was there."""
        self.offered = 0
        self.novelties: NDArray[np.float32] | None = None

    @property
    def prototype(self) -> Floats:
        norm = np.linalg.norm(self.total)
        return self.total / norm if norm > 0 else self.total

    def learn(self, vectors: Vector, bank_size: int) -> None:
        """Take in tasks `(n, d)` in their order; the same state as one at a time."""
        # Row after row onto the total, as if they had come one by one.
        self.total = np.add.reduce(np.vstack([self.total[None, :], vectors]), axis=0)
        self.count += len(vectors)
        size = len(self.bank)
        bank = np.vstack([self.bank, vectors])
        repeats = np.concatenate([self.repeats, np.zeros(len(vectors), dtype=np.int64)])
        # Where in `bank` the sample's rows lie: all comparisons are made at once, and only the choice goes row by row.
        sample = np.arange(max(bank_size, size))
        cosines = vectors @ bank.T
        changed = False
        for place in range(len(vectors)):
            known = cosines[place, sample[:size]]
            nearest = int(known.argmax()) if size else -1
            if nearest >= 0 and 1.0 - known[nearest] <= SAME:
                repeats[sample[nearest]] += 1
                continue
            # Reservoir sampling (Vitter 1985, "Random Sampling with a Reservoir", algorithm R): every task ever offered is kept
            # with the same chance. The draw depends on the number of the offer alone, so that no generator has to be kept.
            self.offered += 1
            chosen = size if size < bank_size else _drawn(self.seed, self.name, self.offered)
            if chosen < bank_size:
                sample[chosen], size, changed = len(self.bank) + place, max(size, chosen + 1), True
        if changed:
            self.bank, self.novelties = bank[sample[:size]], None
        self.repeats = repeats[sample[:size]]

    def forget(self, vector: Vector) -> None:
        """Take a task back."""
        self.total -= vector
        self.count -= 1
        same = 1.0 - self.bank @ vector <= SAME
        keep = ~same | (self.repeats > 0)
        self.repeats = (self.repeats - same)[keep]
        if not keep.all():
            self.bank, self.novelties = self.bank[keep], None

    def spread(self) -> NDArray[np.float32]:
        if self.novelties is None:
            self.novelties = leave_one_out_novelty(self.bank)
        return self.novelties


class Recogniser:
    """Which skill a task belongs to, and how strange it is to all of them: two scores, never one.

    The nearest prototype names the skill, the nearest neighbour says how strange the task is. From two skills and twice as many
    sampled tasks as dimensions on, the relative distance to the skills' Gaussians is added to the neighbour's, both on the scale
    that known tasks have when each is left out in turn: what one misses, the other sees.

    A task is known while its novelty does not pass the `quantile` of the leave-one-out novelty of the nearest task's
    skill; no test data enters (invariant Selection). A skill with few tasks borrows the threshold of all skills together. The
    Gaussians are taken anew, of the sampled tasks, whenever a skill's number of tasks reaches a power of two; so the state depends
    only on the vectors and their order, and can be made again from the record at any time. What is kept of a skill is bounded.
    """

    def __init__(self, *, quantile: float = 0.95, temperature: float = 0.1, bank_size: int = 384, seed: int = 0) -> None:
        if not 0 < quantile <= 1 or temperature <= 0 or bank_size < 2:
            raise ValueError(f"quantile {quantile} must lie in (0, 1], temperature {temperature} above 0, bank_size {bank_size} above 1")
        self.quantile = quantile
        self.temperature = temperature
        self.bank_size = bank_size
        self.seed = seed
        self._skills: dict[str, _Skill] = {}
        self._fusion: _Fusion | None = None

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills known, sorted."""
        return tuple(sorted(self._skills))

    def fit(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Begin anew from unit vectors `(n, d)` and their skills, oldest first; an empty skill is passed over."""
        self._skills.clear()
        self._fusion = None
        named = np.array([bool(skill) for skill in skills], dtype=bool)
        self.learn_many(vectors[named], [skill for skill in skills if skill])

    def learn(self, vector: Vector, skill: str) -> None:
        """Add one task, a unit vector `(d,)`; the zero vector, left by an encoder that failed, is skipped.

        Raises `ValueError` for an empty skill.
        """
        self.learn_many(vector[None, :], [skill])

    def learn_many(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Add tasks `(n, d)` in their order, as `learn` would one by one. Raises `ValueError` for an empty skill."""
        if not all(skills):
            raise ValueError("a task is learned under a named skill; an unnamed one waits in the novelty buffer")
        rows = np.flatnonzero(vectors.any(axis=1))
        names = [skills[row] for row in rows.tolist()]
        counts = Counter({name: known.count for name, known in self._skills.items()})
        turns: list[int] = []
        for place, name in enumerate(names):
            counts[name] += 1
            if _is_power_of_two(counts[name]):
                turns.append(place + 1)
        # Only the last time that the Gaussians are taken anew leaves a trace.
        turn = turns[-1] if turns else 0
        self._remember(vectors[rows[:turn]], names[:turn])
        if turn:
            self._take_anew()
        self._remember(vectors[rows[turn:]], names[turn:])

    def _remember(self, vectors: Vector, names: Sequence[str]) -> None:
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            places.setdefault(name, []).append(place)
        for name, mine in places.items():
            known = self._skills.setdefault(name, _Skill(name, vectors.shape[1], self.seed))
            for start in range(0, len(mine), CHUNK):
                known.learn(vectors[mine[start : start + CHUNK]], self.bank_size)

    def _take_anew(self) -> None:
        """Take the Gaussians as they are now, where there is enough to take them from."""
        self._fusion = None
        skills = {name: self._skills[name] for name in self.skills}
        sampled = sum(len(known.bank) for known in skills.values())
        if (
            len(skills) > 1
            and any(len(known.bank) > 1 for known in skills.values())
            and sampled >= 2 * len(next(iter(skills.values())).total)
        ):
            self._fusion = _Fusion.fit(skills)

    def forget(self, skill: str, vectors: Iterable[Vector] | None = None) -> None:
        """Take back tasks that were learned under a skill, or the whole skill; an unknown skill is passed over.

        The mean is downdated exactly up to float64 rounding, the tasks leave the sample, and the Gaussians are taken anew without
        them. Where the sample had dropped others in their favour these are not put back, as `fit` on the record would.
        """
        known = self._skills.get(skill)
        if known is None:
            return
        for vector in (vector for vector in (() if vectors is None else vectors) if vector.any()):
            known.forget(vector)
        if vectors is None or known.count <= 0:
            del self._skills[skill]
        self._take_anew()

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as plain arrays."""
        skills = [self._skills[name] for name in self.skills]
        if not skills:
            return {"names": np.zeros(0, dtype=np.str_)}
        return {
            "names": np.array(self.skills, dtype=np.str_),
            "totals": np.stack([known.total for known in skills]),
            "counts": np.array([known.count for known in skills], dtype=np.int64),
            "offered": np.array([known.offered for known in skills], dtype=np.int64),
            "sizes": np.array([len(known.bank) for known in skills], dtype=np.int64),
            "banks": np.concatenate([known.bank for known in skills]),
            "repeats": np.concatenate([known.repeats for known in skills]),
            **(self._fusion.state() if self._fusion else {}),
        }

    def restore(self, state: Arrays) -> None:
        """Become what `state` of a recogniser of the same settings returned."""
        self._skills, self._fusion = {}, None
        if not len(state["names"]):
            return
        for place, (name, end) in enumerate(zip(state["names"], np.cumsum(state["sizes"]), strict=True)):
            known = self._skills[str(name)] = _Skill(str(name), state["totals"].shape[1], self.seed)
            rows = slice(int(end - state["sizes"][place]), int(end))
            known.total, known.bank, known.repeats = state["totals"][place].copy(), state["banks"][rows], state["repeats"][rows]
            known.count, known.offered = int(state["counts"][place]), int(state["offered"][place])
        if "fusion_mean" in state:
            self._fusion = _Fusion.restored(state)

    @property
    def _needed(self) -> float:
        """Tasks from which on their quantile exists."""
        return self.quantile / (1 - self.quantile) if self.quantile < 1 else FEW

    def _few(self, skill: str) -> bool:
        """Whether a skill's tasks are too few to say how far they lie apart; where they are enough, the Gaussians know better."""
        return self._fusion is None or len(self._skills[skill].bank) < max(FEW, self._needed)

    def threshold(self, skill: str = "") -> float:
        """Largest novelty at which a task still counts as known, near this skill or (empty) over all skills."""
        spreads = self._fusion.novelties if self._fusion else {name: known.spread() for name, known in sorted(self._skills.items())}
        own = spreads.get(skill, np.zeros(0, dtype=np.float32))
        # So few tasks have no such quantile of their own: their most extreme one would stand for it.
        if own.size < max(FEW, self._needed):
            own = np.concatenate([own, *(spread for name, spread in sorted(spreads.items()) if name != skill)])
        largest = conformal_quantile(own, self.quantile) if own.size else DEFAULT_THRESHOLD
        # Of fewer tasks the largest novelty stands for the quantile, and the next task often passes it.
        return largest if self._fusion or own.size >= self._needed else max(largest, DEFAULT_THRESHOLD)

    def judge(self, vector: Vector) -> Verdict:
        """Which skill a task, a unit vector `(d,)`, belongs to and how strange it is; `NO_VERDICT` while no skill is known.

        Whether the agent will solve it is another question: `OutcomeModel` answers that.
        """
        if not self._skills:
            return NO_VERDICT
        names = self.skills
        cosines = np.array([self._skills[name].prototype @ vector for name in names])
        novelties = [nearest_neighbour_novelty(vector, self._skills[name].bank) for name in names]
        nearest = int(np.argmin(novelties))
        novelty = novelties[nearest] + (self._fusion.added(vector) if self._fusion else 0.0)
        return Verdict(
            skill=names[int(np.argmax(cosines))],
            known=novelty <= self.threshold(names[nearest]) or (novelties[nearest] <= NEAR_DUPLICATE and self._few(names[nearest])),
            novelty=novelty,
            confidence=float(1 / np.exp((cosines - cosines.max()) / self.temperature).sum()),
        )


def _drawn(seed: int, name: str, offered: int) -> int:
    """A number in [0, offered) that depends on the arguments alone."""
    digest = hashlib.blake2b(f"{seed}\0{offered}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % offered


def _is_power_of_two(count: int) -> bool:
    return count > 0 and count & (count - 1) == 0
