"""One agent without an answer key: it answers tasks, attempts failed ones again, practises, and is trained anew from the base."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ....agents import Job, Run
from ....agents.consolidation.attempts import TEMPERATURE, Group, solutions
from ....agents.consolidation.contrast.groups import TriedAnswer
from ....agents.consolidation.judged import judged_samples, tried_answer
from ....agents.consolidation.practice import exercise_results, made_exercises, practice_samples, practice_source, template_weights
from ....agents.consolidation.training_samples import samples
from ....core import Adapter, Episode, Settings, Task
from ....core.plugins import create
from ....envs import Environment, exchangeable
from ....envs.practice import Exercise, exercises
from ....learners import Recipe, Sample, TrainingReport, holds, made_of, train_lora
from ....learners.contrast.rows import teaches
from ....learners.contrast.training import train_contrast
from ....memory.recall.solved import nearest_pairs
from ....numerics.draws import draw
from ....perception import Encoder
from ....serving import EmbeddedEngine
from .contrast_methods import LEARNING_RATE, METHODS, ContrastMethod, chosen

BATCH = 16
"""Tasks that run side by side."""
CONTRAST_SHARE = 0.25
"""Tokens that a night's contrast reads, as a share of those that its training has read."""
EXAMINED = 64
"""Exercises that an adapter is given before a night, to see which kinds it gets wrong."""


@dataclass(frozen=True, kw_only=True)
class LearningArm:
    """What is switched on."""

    nights: int = 0
    """Nights; 0 for an agent that never learns."""
    practice: bool = True
    """Whether nights practise on exercises."""
    attempts: bool = True
    """Whether nights after the first attempt failed tasks again and learn from what is confirmed."""
    shuffled: bool = False
    """A control: each exercise gets the answer of another one over the same tables."""
    grammar: bool = True
    """Whether answers are kept to the grammar of the environment, in attempts too."""
    strategy: str = "direct"
    """How unseen tasks are run."""
    templates: bool = False
    """Whether every other attempt, and every other answer that the best is chosen of, follows the form of a solved task near to it."""
    contrast: str = ""
    """A method of `contrast_methods` by which a night goes on from what it has trained, with its attempts' failures too; empty: none."""
    shown: bool = False
    """An upper bound: the night is given the right answers to all tasks, and neither practises nor attempts."""


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """How an arm does on unseen tasks, before the first night and after each."""

    successes: tuple[tuple[bool, ...], ...]
    """Of each evaluation, whether each task was solved."""
    tokens: tuple[int, ...]
    """Tokens of each evaluation."""
    training_seconds: float
    """Wall-clock seconds of all training loops."""


class Agent:
    """One arm under one seed. Adapters lie in `folder` under the hash of what they were made of, so that arms share equal ones."""

    def __init__(self, arm: LearningArm, environment: Environment, engine: EmbeddedEngine, settings: Settings, folder: Path) -> None:
        self._arm, self._environment, self._engine, self._settings, self._folder = arm, environment, engine, settings, folder
        self._adapter = ""
        self._wins: dict[str, list[Episode]] = {}
        self._training_seconds = 0.0
        self._encoder: Encoder | None = None

    @property
    def adapter(self) -> str:
        """The adapter that serves; empty for the base."""
        return self._adapter

    @property
    def training_seconds(self) -> float:
        """Wall-clock seconds of all training so far."""
        return self._training_seconds

    def run(self, train: Sequence[Task], test: Sequence[Task], count: int) -> ArmResult:
        """Live through the nights; `count` exercises are practised in each."""
        successes, tokens = [], []
        for night in range(self._arm.nights + 1):
            if night:
                self.sleep(train, count, night)
            if night or not self._arm.nights:
                if self._arm.templates and not self._wins:
                    # What is solved awake with the adapter that serves; no sample beside the greedy answers.
                    self._attempt(train, night, number=0)
                runs = self.solve(test, strategy=self._arm.strategy)
                successes.append(tuple(run.outcome.success is True for run in runs))
                tokens.append(sum(run.usage.tokens for run in runs))
        return ArmResult(successes=tuple(successes), tokens=tuple(tokens), training_seconds=self._training_seconds)

    def sleep(self, train: Sequence[Task], count: int, night: int) -> None:
        """One night: attempts, practice and training."""
        if self._arm.shown:
            self.train(shown_answers(self._environment, train))
            return
        groups: list[Group] = []
        if self._arm.attempts and (self._adapter or not self._arm.practice):
            groups = self._attempt(train, night, self._settings.sleep.attempts)
        data = [*samples([win for wins in self._wins.values() for win in wins]), *self._practice(train, count, night)]
        if data:
            self.train(data)
        if groups and self._arm.contrast and self._adapter:
            self._contrast(train, groups, METHODS[self._arm.contrast])

    def _contrast(self, train: Sequence[Task], groups: Sequence[Group], method: ContrastMethod) -> None:
        tasks = {task.id: task for task in train}
        tried = [[tried_answer(run) for run in group.runs] for group in groups]
        data = chosen([tasks[group.task] for group in groups], tried, method)
        if not any(teaches(one, method.objective.learns_from) for one in data):
            return
        start = self._folder / self._adapter
        recipe = replace(recipe_of(self._settings, self._engine), start=str(start), learning_rate=LEARNING_RATE)
        directory = self._folder / f"{start.name}-{self._arm.contrast}"
        shutil.rmtree(directory, ignore_errors=True)
        budget = CONTRAST_SHARE * TrainingReport.read(start).tokens
        report = train_contrast(data, method.objective, recipe, directory, budget=max(1, round(budget)))
        self._training_seconds += report.training.seconds
        self.serve(directory)

    def _attempt(self, train: Sequence[Task], night: int, number: int) -> list[Group]:
        open_ones = [task for task in train if task.id not in self._wins]
        # The first attempt is the greedy answer, as awake.
        seeds = [(task, place) for task in open_ones for place in range(number + 1)]
        runs = self.solve(
            [task for task, _ in seeds],
            temperatures=[TEMPERATURE if place else 0.0 for _, place in seeds],
            seeds=[int(draw(self._settings.seed, "attempt", task.id, str(night), str(place)) * 2**31) for task, place in seeds],
            # As a night of the product does: every other sample follows a template, each another one.
            templates=[place // 2 - 1 if place and place % 2 == 0 else None for _, place in seeds],
        )
        groups = [
            Group(task=task.id, runs=tuple(runs[place * (number + 1) : (place + 1) * (number + 1)])) for place, task in enumerate(open_ones)
        ]
        for task, group in zip(open_ones, groups, strict=True):
            won = [group.runs[0]] if group.runs[0].outcome.success else solutions(group)
            if won:
                self._wins[task.id] = [
                    Episode(id=f"{task.id}-{one}", task=task, steps=run.steps, outcome=run.outcome, skill=task.skill)
                    for one, run in enumerate(won)
                ]
        return groups

    def _practice(self, train: Sequence[Task], count: int, night: int) -> list[Sample]:
        if not self._arm.practice:
            return []
        seed, weights = 1000 * self._settings.seed + night - 1, {}
        if self._adapter:
            examined = self._exercises(train, EXAMINED, -1 - seed, {})
            source = practice_source(self._environment, train)
            results = exercise_results(examined, source, self._engine, adapter=self._adapter, constrain=self._arm.grammar)
            weights = template_weights(results)
        made = self._exercises(train, count, seed, weights)
        if self._arm.shuffled:
            made = shuffled(made, random.Random(seed))
        return practice_samples(made, {task.id: task.id for task in train})

    def _exercises(self, train: Sequence[Task], count: int, seed: int, weights: Mapping[str, float]) -> list[Exercise]:
        source = practice_source(self._environment, train)
        if source is None or source is self._environment:
            return exercises(self._environment, train, count, weights=weights, seed=seed)
        # From the tools' schemas, without what their own schemas refuse and what a real task asks.
        return made_exercises(source, train, [], count, weights=weights, seed=seed, without=[task.goal for task in train])

    def train(self, data: Sequence[Sample], *, start: str = "") -> None:
        """Train on samples, from the base or from the adapter in a directory, and answer with what comes of it."""
        recipe = replace(recipe_of(self._settings, self._engine), start=start)
        digest = made_of(data, recipe, "agents")
        directory = self._folder / digest[:16]
        if not holds(directory, digest):
            train_lora(data, recipe, directory, provenance=digest)
        self._training_seconds += TrainingReport.read(directory).seconds
        self.serve(directory)

    def serve(self, directory: Path) -> None:
        """Answer with the adapter in a directory, whose name is the adapter's."""
        self.retire()
        self._adapter = directory.name
        base, rank = str(self._engine.path), self._settings.sleep.rank
        self._engine.publish(Adapter(name=self._adapter, path=str(directory), base=base, rank=rank, tenant="default"))

    def retire(self) -> None:
        """Answer with the base again."""
        if self._adapter:
            self._engine.retire(self._adapter)
        self._adapter = ""

    def _near(self, tasks: Sequence[Task]) -> list[tuple[tuple[Task, str], ...]]:
        """For each task the nearest solved ones, as the product's encoder sees them; none where the arm follows no templates."""
        won = {id_: wins[0] for id_, wins in self._wins.items()}
        if not self._arm.templates or not won:
            return [() for _ in tasks]
        if self._encoder is None:
            self._encoder = create("encoders", self._settings.memory.encoder, settings=self._settings)
        solved, own = (self._encoder.encode([task.text for task in some]) for some in ([one.task for one in won.values()], tasks))
        return nearest_pairs(own, solved, [(one.task, one.answer) for one in won.values()])

    def solve(
        self,
        tasks: Sequence[Task],
        *,
        strategy: str = "direct",
        temperatures: Sequence[float] = (),
        seeds: Sequence[int] = (),
        templates: Sequence[int | None] = (),
    ) -> list[Run]:
        """Run tasks with the adapter that serves; greedy, where no temperatures are given."""
        act, runs, near = create("strategies", strategy, engine=self._engine), [], self._near(tasks)
        jobs = [
            Job(
                task=task,
                environment=self._environment,
                adapter=self._adapter,
                tries=1 if strategy == "direct" else self._settings.wake.max_attempts,
                max_tokens=self._settings.model.max_tokens,
                temperature=temperatures[place] if temperatures else 0.0,
                seed=seeds[place] if seeds else self._settings.seed,
                constrain=self._arm.grammar,
                solved=near[place],
                template=templates[place] if templates else None,
            )
            for place, task in enumerate(tasks)
        ]
        for start in range(0, len(jobs), BATCH):
            runs += act.act(jobs[start : start + BATCH])
        return runs


def recipe_of(settings: Settings, engine: EmbeddedEngine) -> Recipe:
    """How every adapter of the suite is trained."""
    sleep = settings.sleep
    return Recipe(
        base=str(engine.path),
        rank=sleep.rank,
        learning_rate=sleep.learning_rate,
        epochs=sleep.epochs,
        batch_size=sleep.batch_size,
        substitution=sleep.substitution,
        seed=settings.seed,
    )


def shown_answers(environment: Environment, tasks: Sequence[Task]) -> list[Sample]:
    """The expert's answers to tasks of one action, as samples."""
    found = []
    for task in tasks:
        answer = TriedAnswer(answer=environment.demonstrate(task).actions[-1], success=True)
        found += [replace(one.sample, exchangeable=frozenset(exchangeable(environment))) for one in judged_samples(task, [answer])]
    return found


def shuffled(made: Sequence[Exercise], rng: random.Random) -> list[Exercise]:
    """The exercises, each with the answer of the next one over the same tables; one that stands alone keeps none and is left out."""
    by_source: dict[str, list[Exercise]] = {}
    for one in made:
        by_source.setdefault(one.source.id, []).append(one)
    found = []
    for group in by_source.values():
        order = rng.sample(group, len(group))
        found += [replace(one, answer=other.answer) for one, other in zip(order, order[1:] + order[:1], strict=True) if other != one]
    return found
