"""`Recogniser`: which skill a task belongs to, and whether it is out of scope of all of them.

Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors", https://arxiv.org/abs/2204.06507; Ren et al. 2021, "A Simple
Fix to Mahalanobis Distance for Improving Near-OOD Detection", https://arxiv.org/abs/2106.09022, equation 3. That both are learned a task
at a time, and that known tasks are left out in turn to set their scale, is this project's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import NO_VERDICT, Verdict
from ..numerics.arrays import Arrays, Floats, Vector
from .recognition.calibration import Calibration, least_tasks
from .recognition.evidence import KnownSkills, SharedShape
from .recognition.sample import CHUNK, TaskSample
from .scores.neighbours import conformal_quantile, nearest_neighbour_novelty
from .selective.drift import DriftMonitor
from .selective.fusion import logistic

DEFAULT_THRESHOLD = 0.65
"""Distance up to which a task is known, at least, while there are too few tasks for a quantile: unrelated texts lie farther apart."""
NEAR_DUPLICATE = 0.15
"""Distance to the nearest task, in the first view, up to which a task is known whatever the threshold while tasks are few. 0.3 % of
CLINC150's out-of-scope queries lie that near to a training text, and 47 % of the queries in scope."""
FEW = 8
"""Sampled tasks of each of two skills from which on evidence is calibrated."""
LEAST_SAMPLED = 48
"""Sampled tasks of all skills from which on evidence is calibrated, and as many as the quantile's rank needs."""
BLOCK = 256
"""Tasks judged at once, so that memory stays bounded."""
GROWTH = 1.25
"""Evidence is calibrated anew when so many times the tasks are sampled: a task costs a bounded share of a calibration."""


class Recogniser:
    """Which skill a task belongs to, and how strange it is to all of them: two scores, never one.

    A vector holds two views of a text side by side, the last `second` columns being the second one; each view has length one.
    A conditional logistic regression over three kinds of evidence names the skill: the nearest sampled task in both views, the
    skill's Gaussian, and a ridge regression on random features. A logistic regression over the evidence against that skill says how likely
    the task is known at all. Both are learned on tasks and skills that are held out in turn (`Calibration`). A task is known
    while its log odds of being unknown do not pass the `quantile` of the held-out known tasks; no test data enters (invariant Selection).

    Until two skills have `FEW` tasks, the nearest prototype names the skill and the distance to the nearest task decides.

    What is kept of a skill is bounded, and so is the work on a task. All follows from the sampled tasks: after `forget` of a
    skill everything is as if it had never been there. Not thread-safe; `Perceiver` is.
    """

    def __init__(
        self, *, quantile: float = 0.95, temperature: float = 0.1, bank_size: int = 384, seed: int = 0, second: int = 0, eager: bool = True
    ) -> None:
        if not 0 < quantile <= 1 or temperature <= 0 or bank_size < 2 or second < 0:
            raise ValueError(
                f"quantile {quantile} must lie in (0, 1], temperature {temperature} above 0, bank_size {bank_size} above 1, "
                f"second {second} not below 0"
            )
        self.quantile = quantile
        self.temperature = temperature
        self.bank_size = bank_size
        self.seed = seed
        self.second = second
        self.eager = eager
        """Whether learning and forgetting calibrate at once where that is due; otherwise `calibrate` is for the caller to call."""
        self._samples: dict[str, TaskSample] = {}
        self._begin()

    def _begin(self) -> None:
        self._samples.clear()
        self._calibration: Calibration | None = None
        self._thresholds: dict[str, float] = {}
        self._recent: Floats | None = None
        self._drift: DriftMonitor | None = None
        self._known: tuple[KnownSkills, Floats] | None = None
        self._means: dict[str, tuple[Vector, Floats]] = {}

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills known, sorted."""
        return tuple(sorted(self._samples))

    @property
    def sampled(self) -> int:
        """Tasks that are kept, of all skills."""
        return sum(len(sample.bank) for sample in self._samples.values())

    @property
    def _least(self) -> int:
        return max(LEAST_SAMPLED, least_tasks(self.quantile))

    @property
    def due(self) -> bool:
        """Whether `calibrate` would make a difference worth its price: enough tasks came, or a skill of enough tasks is new."""
        sizes = {name: len(sample.bank) for name, sample in self._samples.items()}
        if self._calibration is None:
            return self.calibration_tasks() is not None
        new = any(size >= FEW and name not in self._calibration.held_out for name, size in sizes.items())
        return new or sum(sizes.values()) >= GROWTH * self._calibration.fitted

    @property
    def calibration(self) -> Calibration | None:
        """What evidence is worth; None while there are too few tasks."""
        return self._calibration

    @property
    def missing(self) -> str:
        """What a calibrated chance of being known needs, in words; empty once there is one."""
        if self._calibration is not None:
            return ""
        enough = sum(len(sample.bank) >= FEW for sample in self._samples.values())
        needed = f"two skills with {FEW} tasks each, and {self._least} in all, are needed to calibrate a chance"
        return f"{needed}; there are {self.sampled}, and {enough} such skills"

    def fit(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Begin anew from vectors `(n, d)` and their skills, oldest first; an empty skill is passed over."""
        self._begin()
        named = np.array([bool(skill) for skill in skills], dtype=bool)
        self._remember(vectors[named], [skill for skill in skills if skill])
        self.calibrate()

    def learn(self, vector: Vector, skill: str) -> None:
        """Add one task `(d,)`; the zero vector, left by an encoder that failed, is skipped. Raises `ValueError` for an empty skill."""
        self.learn_many(vector[None, :], [skill])

    def learn_many(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Add tasks `(n, d)` in their order. Raises `ValueError` for an empty skill."""
        if not all(skills):
            raise ValueError("a task is learned under a named skill; an unnamed one waits in the novelty buffer")
        self._remember(vectors, skills)
        if self.eager and self.due:
            self.calibrate()

    def _remember(self, vectors: Vector, names: Sequence[str]) -> None:
        first = vectors.shape[1] - self.second
        rows = np.asarray(np.any(vectors[:, :first] != 0, axis=1))
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            if rows[place]:
                places.setdefault(name, []).append(place)
        for name, mine in places.items():
            sample = self._samples.setdefault(name, TaskSample(name, vectors.shape[1], first, self.seed))
            for start in range(0, len(mine), CHUNK):
                sample.learn(vectors[mine[start : start + CHUNK]], self.bank_size)
            self._known = None

    def forget(self, skill: str, vectors: Iterable[Vector] | None = None) -> None:
        """Take back tasks that were learned under a skill, found by their first view, or the whole skill; an unknown skill is passed over.

        What was calibrated goes, and is calibrated anew without them. Where the sample had dropped other tasks in favour of a
        forgotten one these are not put back, as `fit` on the record would; forgetting a whole skill is exact.
        """
        sample = self._samples.get(skill)
        if sample is None:
            return
        for vector in (vector[: sample.first] for vector in (() if vectors is None else vectors) if vector.any()):
            sample.forget(vector)
        if vectors is None or sample.count <= 0:
            del self._samples[skill]
        self._means = {}
        self._calibration = self._known = self._recent = self._drift = None
        self._thresholds = {}
        if self.eager:
            self.calibrate()

    def calibrate(self) -> None:
        """Learn from the sampled tasks what evidence is worth; nothing while there are too few of them."""
        known = self.calibration_tasks()
        self.adopt(None if known is None else Calibration.fit(known, self.seed))

    def calibration_tasks(self) -> KnownSkills | None:
        """The tasks sampled by now, for `Calibration.fit` beside a recogniser that judges; None while there are too few."""
        sizes = [len(sample.bank) for sample in self._samples.values()]
        if sum(size >= FEW for size in sizes) < 2 or sum(sizes) < self._least:
            return None
        return self._banks()

    def adopt(self, calibration: Calibration | None) -> None:
        """Judge by a calibration from now on."""
        self._calibration, self._known, self._thresholds, self._recent, self._drift = calibration, None, {}, None, None
        self._means = {}

    def observe(self, known_chance: float) -> bool:
        """Take in what the present calibration said of a task that turned out to be known; whether the stream was found to drift.

        Then the thresholds of all skills are set on the newest of such tasks, of which the quantile's rank must exist; older tasks are
        no guide any more. Nothing before a calibration.
        """
        if self._calibration is None or not 0 < known_chance < 1:
            return False
        if self._drift is None:
            held_out = np.concatenate(list(self._calibration.held_out.values()))
            self._drift = DriftMonitor(held_out if self._recent is None else self._recent)
        self._drift.add(float(np.log1p(-known_chance) - np.log(known_chance)))
        recent = self._drift.recent
        if not self._drift.drifted or len(recent) < self._least:
            return False
        self._recent, self._thresholds, self._drift = np.sort(recent), {}, DriftMonitor(recent)
        return True

    def _banks(self) -> KnownSkills:
        names = tuple(name for name in self.skills if len(self._samples[name].bank))
        first = next(iter(self._samples.values())).first
        return KnownSkills(names=names, banks=tuple(self._samples[name].bank for name in names), first=first)

    def _centred(self, calibration: Calibration) -> tuple[KnownSkills, Floats]:
        """The sampled tasks with their whitened means, of which only those of skills that learned since are computed anew."""
        known = self._banks()
        pairs = zip(known.names, known.banks, strict=True)
        changed = {name: bank for name, bank in pairs if self._means.get(name, (None,))[0] is not bank}
        if changed:
            some = KnownSkills(names=tuple(changed), banks=tuple(changed.values()), first=known.first)
            self._means |= dict(zip(changed, zip(changed.values(), calibration.shape.centres(some), strict=True), strict=True))
        return known, np.stack([self._means[name][1] for name in known.names])

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as plain arrays."""
        samples = [self._samples[name] for name in self.skills]
        if not samples:
            return {"names": np.zeros(0, dtype=np.str_)}
        return {
            "names": np.array(self.skills, dtype=np.str_),
            "totals": np.stack([sample.total for sample in samples]),
            "counts": np.array([sample.count for sample in samples], dtype=np.int64),
            "offered": np.array([sample.offered for sample in samples], dtype=np.int64),
            "sizes": np.array([len(sample.bank) for sample in samples], dtype=np.int64),
            "banks": np.concatenate([sample.bank for sample in samples]),
            "repeats": np.concatenate([sample.repeats for sample in samples]),
            **({} if self._recent is None else {"recent": self._recent}),
            **{f"calibration_{name}": array for name, array in (self._calibration.state() if self._calibration else {}).items()},
        }

    def restore(self, state: Arrays) -> None:
        """Become what `state` of a recogniser of the same settings returned."""
        self._begin()
        if not len(state["names"]):
            return
        for place, (name, end) in enumerate(zip(state["names"], np.cumsum(state["sizes"]), strict=True)):
            first = state["totals"].shape[1]
            sample = self._samples[str(name)] = TaskSample(str(name), state["banks"].shape[1], first, self.seed)
            rows = slice(int(end - state["sizes"][place]), int(end))
            sample.total, sample.bank, sample.repeats = state["totals"][place].copy(), state["banks"][rows], state["repeats"][rows]
            sample.count, sample.offered = int(state["counts"][place]), int(state["offered"][place])
        about = {name.removeprefix("calibration_"): array for name, array in state.items() if name.startswith("calibration_")}
        self._calibration = Calibration.restored(about) if about else None
        self._recent = state.get("recent")

    def calibration_state(self) -> dict[str, NDArray[Any]]:
        """What calibrating found, as plain arrays, without what follows quickly from the sampled tasks; empty before it."""
        if self._calibration is None:
            return {}
        return {**self._calibration.state(shape=False), **({} if self._recent is None else {"recent": self._recent})}

    def take_up(self, state: Arrays) -> bool:
        """Judge by what `calibration_state` returned, if it is of these skills and of no more tasks than are sampled; whether it is.

        The shape that all skills share is that of the tasks sampled now. Without this nine tenths of the work would be done again: a
        calibration fits such a shape for each of its ten folds.
        """
        known, fitted = self.calibration_tasks(), int(state["fitted"])
        if known is None or fitted > self.sampled or not {str(name) for name in state["held_out_names"]} <= set(known.names):
            return False
        self.adopt(Calibration.restored(state, SharedShape.fit(known, self.seed)))
        self._recent = state.get("recent")
        return True

    def threshold(self, skill: str = "") -> float:
        """The largest log odds of being unknown (or distance, while nothing is calibrated) at which a task near this skill is known.

        Empty: over all skills.
        """
        if skill not in self._thresholds:
            self._thresholds[skill] = self._threshold(skill)
        return self._thresholds[skill]

    def _threshold(self, skill: str) -> float:
        if self._recent is not None:
            return conformal_quantile(self._recent, self.quantile)
        if self._calibration is not None:
            return self._calibration.threshold(skill, self.quantile)
        spreads = {name: sample.spread() for name, sample in sorted(self._samples.items())}
        own, least = spreads.get(skill, np.zeros(0, dtype=np.float32)), max(FEW, least_tasks(self.quantile))
        # So few tasks have no such quantile of their own: their most extreme one would stand for it.
        if own.size < least:
            own = np.concatenate([own, *(spread for name, spread in spreads.items() if name != skill)])
        largest = conformal_quantile(own, self.quantile) if own.size else DEFAULT_THRESHOLD
        # Of fewer tasks the largest distance stands for the quantile, and the next task often passes it.
        return largest if own.size >= least else max(largest, DEFAULT_THRESHOLD)

    def judge(self, vector: Vector) -> Verdict:
        """Which skill a task `(d,)` belongs to and how strange it is; `NO_VERDICT` while no skill is known.

        Whether the agent will solve it is another question: `OutcomeModel` answers that.
        """
        return self.judge_many(vector[None, :])[0]

    def judge_many(self, vectors: Vector) -> list[Verdict]:
        """The same of many tasks `(n, d)` at once."""
        if not self._samples:
            return [NO_VERDICT] * len(vectors)
        if self._calibration is None:
            return [self._judged_by_distance(vector) for vector in vectors]
        blocks = (vectors[start : start + BLOCK] for start in range(0, len(vectors), BLOCK))
        return [verdict for block in blocks for verdict in self._judged_by_evidence(self._calibration, block)]

    def _judged_by_evidence(self, calibration: Calibration, vectors: Vector) -> list[Verdict]:
        if self._known is None:
            self._known = self._centred(calibration)
        known, centres = self._known
        found, odds = calibration.judge(known, centres, vectors)
        return [
            self._verdict(calibration, known.names[skill], float(confidence), columns, float(log_odds))
            for skill, confidence, columns, log_odds in zip(found.skills, found.chances, found.columns, odds, strict=True)
        ]

    def _verdict(self, calibration: Calibration, name: str, confidence: float, columns: Floats, log_odds: float) -> Verdict:
        """What evidence against a task of the skill named amounts to, and why."""
        both, first = columns[:2]
        threshold, least = self.threshold(name), least_tasks(self.quantile)
        few = calibration.count < least
        accepted = bool(log_odds <= threshold or (few and first <= NEAR_DUPLICATE))
        chance = float(logistic(np.array(-log_odds)))
        views = f"{first:.2f} by meaning" + (f" and {2 * both - first:.2f} by wording" if self.second else "")
        grounds = f"{len(self._recent)} recent" if self._recent is not None else f"{calibration.count} held-out"
        limit = f"the {100 * self.quantile:g}% quantile of {grounds} known tasks"
        if few and self._recent is None:
            limit += f", of which {least} are needed for it, so that the largest stands for it"
        said = f"{'known' if accepted else 'unknown'}: nearest is {name!r}, at a distance of {views}"
        odds_said = f"log odds of being unknown {log_odds:.2f}, threshold {threshold:.2f} ({limit})"
        return Verdict(
            skill=name,
            known=accepted,
            novelty=1 - chance,
            confidence=confidence,
            known_chance=chance,
            reason=f"{said}; {odds_said}; chance of being known {chance:.2f}",
        )

    def _judged_by_distance(self, vector: Vector) -> Verdict:
        names = self.skills
        first = vector[: self._samples[names[0]].first]
        cosines = np.array([self._samples[name].prototype @ first for name in names])
        distances = [nearest_neighbour_novelty(first, self._samples[name].bank[:, : len(first)]) for name in names]
        nearest = int(np.argmin(distances))
        distance, threshold = distances[nearest], self.threshold(names[nearest])
        known = bool(distance <= max(threshold, NEAR_DUPLICATE))
        limit = f"its distance {distance:.2f} {'is within' if known else 'passes'} {max(threshold, NEAR_DUPLICATE):.2f}"
        return Verdict(
            skill=names[int(np.argmax(cosines))],
            known=known,
            novelty=distance,
            confidence=float(1 / np.exp((cosines - cosines.max()) / self.temperature).sum()),
            reason=f"{'known' if known else 'unknown'}: nearest is {names[nearest]!r}, {limit}; {self.missing}",
        )
