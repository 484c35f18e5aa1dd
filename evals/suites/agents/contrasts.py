"""One night's attempts, learned from in different ways: every method sees the same answers and reads as many tokens.

An adapter that has practised attempts tasks several times. Each method goes on from it with these attempts and the environment's verdicts
alone, and is then tried on unseen tasks, greedily.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ....agents import Run
from ....agents.consolidation.attempts import TEMPERATURE
from ....agents.consolidation.contrast.collapse import collapse
from ....agents.consolidation.contrast.groups import TriedAnswer, is_informative
from ....agents.consolidation.judged import tried_answer
from ....agents.consolidation.practice import practice_samples
from ....core import Settings
from ....envs import Environment
from ....envs.practice import exercises
from ....learners import Sample
from ....learners.contrast.soft_prompt import train_soft_prompt
from ....learners.contrast.training import NothingToLearn, train_contrast
from ....numerics.draws import draw
from ....numerics.intervals import paired_gain_ci95
from ....serving import EmbeddedEngine
from ...data.seeded import Measurement, Rate, rows_of
from ...results_file import Row
from .contrast_methods import LEARNING_RATE, SOFT_LEARNING_RATE, START, ContrastMethod, ContrastScale, chosen
from .nights import Agent, LearningArm, recipe_of

KEPT = 8
"""Nights, and adapters of tens of megabytes each, that are kept for later runs."""
PROBES = 6
"""Exercises that nothing trains on, on which drift is measured."""


@dataclass(frozen=True, kw_only=True)
class SharedNight:
    """What the adapter that all methods go on from did."""

    groups: tuple[tuple[TriedAnswer, ...], ...]
    """Its attempts, task by task."""
    tested: tuple[TriedAnswer, ...]
    """Its greedy answers to the unseen tasks."""
    tokens: int
    """Tokens read and written in the attempts."""
    seconds: float
    """Processor seconds of the attempts."""


@dataclass(frozen=True, kw_only=True)
class SeedFigures:
    """What was measured under one seed."""

    figures: dict[tuple[str, str], Measurement]
    """By method and metric."""
    changes: dict[str, tuple[int, int, int]]
    """By method: unseen tasks that it solves and the start does not, those that the start alone solves, and all."""


class ContrastNight:
    """The comparison under one seed. What all methods share is kept in `folder`, so that they can be run one by one."""

    def __init__(self, scale: ContrastScale, environment: Environment, engine: EmbeddedEngine, settings: Settings, folder: Path) -> None:
        self._scale, self._environment, self._engine, self._settings, self._folder = scale, environment, engine, settings, folder
        seed = settings.seed
        self._train = environment.tasks("train", scale.tasks, seed=seed)
        self._test = environment.tasks("test", scale.tested, seed=seed)
        made = exercises(environment, self._train, PROBES, seed=-1000 - seed)
        self._probes: list[Sample] = practice_samples(made, {task.id: task.id for task in self._train})
        self._agent = Agent(LearningArm(nights=1, attempts=False), environment, engine, settings, folder)

    def run(self, methods: Mapping[str, ContrastMethod], *, control: bool) -> SeedFigures:
        """Practise, attempt, and learn by each method; `control` for the figures of the start too."""
        found = SeedFigures(figures={}, changes={})
        tidy(self._folder)
        try:
            self._agent.sleep(self._train, self._scale.practised, 1)
            start = self._folder / self._agent.adapter if self._agent.adapter else None
            night = self._shared()
            if control:
                found.figures.update(_figures_of(night))
            for name, method in methods.items():
                self._learn(name, method, night, start, found)
        finally:
            self._agent.retire()
        return found

    def _shared(self) -> SharedNight:
        task_ids = [task.id for task in (*self._train, *self._test)]
        values = [
            self._agent.adapter,
            self._scale.attempts,
            TEMPERATURE,
            asdict(self._settings.wake),
            self._settings.model.max_tokens,
            task_ids,
        ]
        key = hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]
        file = self._folder / f"night-{key}.json"
        if file.is_file():
            kept = json.loads(file.read_text())
            groups = tuple(tuple(TriedAnswer(**each) for each in group) for group in kept["groups"])
            tested = tuple(TriedAnswer(**each) for each in kept["tested"])
            return SharedNight(groups=groups, tested=tested, tokens=kept["tokens"], seconds=kept["seconds"])
        night = self._attempted()
        self._folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(night)))
        return night

    def _attempted(self) -> SharedNight:
        places = [(task, number) for task in self._train for number in range(self._scale.attempts + 1)]
        begun = time.process_time()
        runs = self._agent.solve(
            [task for task, _ in places],
            # The first attempt is the greedy answer, as awake.
            temperatures=[TEMPERATURE if number else 0.0 for _, number in places],
            seeds=[int(draw(self._settings.seed, "contrast", task.id, str(number)) * 2**31) for task, number in places],
        )
        seconds, width = time.process_time() - begun, self._scale.attempts + 1
        tried = [tried_answer(run, task, self._environment) for run, (task, _) in zip(runs, places, strict=True)]
        return SharedNight(
            groups=tuple(tuple(tried[start : start + width]) for start in range(0, len(tried), width)),
            tested=tuple(tried_answer(run) for run in self._agent.solve(self._test)),
            tokens=sum(run.usage.tokens for run in runs),
            seconds=seconds,
        )

    def _learn(self, name: str, method: ContrastMethod, night: SharedNight, start: Path | None, found: SeedFigures) -> None:
        data = chosen(self._train, night.groups, method)
        directory = self._folder / f"contrast-{name}"
        shutil.rmtree(directory, ignore_errors=True)
        rate = SOFT_LEARNING_RATE if method.soft_prompt else LEARNING_RATE
        recipe = replace(recipe_of(self._settings, self._engine), start=str(start or ""), learning_rate=rate)
        train = train_soft_prompt if method.soft_prompt else train_contrast
        try:
            report = train(data, method.objective, recipe, directory, budget=self._scale.budget, probes=self._probes)
        except NothingToLearn as error:
            print(f"{name}, seed {self._settings.seed}: {error}", file=sys.stderr, flush=True)
            found.figures[name, "learned_share"] = 0.0
            return
        tested = [tried_answer(run) for run in self._tried(directory, whole=method.soft_prompt)]
        shutil.rmtree(directory)
        pairs = list(zip(tested, night.tested, strict=True))
        found.changes[name] = (
            sum(bool(new.success and not old.success) for new, old in pairs),
            sum(bool(old.success and not new.success) for new, old in pairs),
            len(pairs),
        )
        fallen = collapse([one.answer for one in night.tested], [one.answer for one in tested])
        found.figures.update(
            {
                (name, "success"): _rate(tested),
                (name, "learned_share"): 1.0,
                (name, "judged_answers"): float(len(data)),
                (name, "training_tokens"): float(report.training.tokens + report.reference_tokens),
                (name, "training_seconds"): report.processor_seconds,
                (name, "drift_nats"): report.drift,
                (name, "stopped_share"): float(bool(report.stopped)),
                (name, "collapsed_share"): float(bool(fallen)),
            }
        )
        solved = sum(bool(one.success) for one in tested)
        notes = "; ".join(filter(None, (report.stopped, fallen)))
        print(f"{name}, seed {self._settings.seed}: {solved} of {len(tested)} {notes}", file=sys.stderr, flush=True)

    def _tried(self, directory: Path, *, whole: bool) -> list[Run]:
        """Runs of the unseen tasks with what lies in a directory: an adapter, or a whole model."""
        if not whole:
            self._agent.serve(directory)
            return self._agent.solve(self._test)
        engine = EmbeddedEngine(directory)
        try:
            return Agent(LearningArm(), self._environment, engine, self._settings, self._folder).solve(self._test)
        finally:
            engine.close()


def tidy(folder: Path, kept: int = KEPT) -> None:
    """Delete all but the newest `kept` nights, and as many adapters, of those that lie in a folder for the next run."""
    for pattern in ("night-*.json", "[0-9a-f]*/adapter_config.json"):
        files = sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files[kept:]:
            shutil.rmtree(file.parent) if file.parent != folder else file.unlink()


def _figures_of(night: SharedNight) -> dict[tuple[str, str], Measurement]:
    informative = sum(map(is_informative, night.groups))
    return {
        (START, "success"): _rate(night.tested),
        (START, "informative_groups_share"): Rate(hits=informative, trials=len(night.groups)),
        (START, "attempt_tokens"): float(night.tokens),
        (START, "attempt_seconds"): night.seconds,
    }


def contrast_rows(case: str, seeds: Sequence[SeedFigures]) -> list[Row]:
    """Figures pooled over seeds, and the paired gain over the start with its exact interval."""
    common = [key for key in seeds[0].figures if all(key in one.figures for one in seeds)]
    rows = rows_of(case, [{key: one.figures[key] for key in common} for one in seeds])
    for name in seeds[0].changes:
        if not all(name in one.changes for one in seeds):
            continue
        wins, losses, tasks = (sum(one.changes[name][place] for one in seeds) for place in range(3))
        gain, interval = (wins - losses) / tasks, paired_gain_ci95(wins, losses, tasks)
        rows.append(Row(case=case, method=name, metric="success_gain_over_start", value=gain, ci95=interval, n=tasks, seeds=len(seeds)))
    return rows


def _rate(answers: Sequence[TriedAnswer]) -> Rate:
    return Rate(hits=sum(bool(one.success) for one in answers), trials=len(answers))
