"""Ten nights in a row: an adapter trained anew from the base each night, against one that every night trains on.

Both meet the same new tasks each day and get as many new exercises each night. `lifelong` begins from the base and reads at most `REPLAY`
exercises, drawn from those of all nights, and all its wins; `stacked` goes on from the last night's adapter with what is new alone.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....agents.consolidation.practice import practice_samples
from ....agents.consolidation.training_samples import samples
from ....core import Episode, Settings, Task
from ....envs import Environment, make_environment
from ....envs.practice import exercises
from ....learners import Sample
from ....serving import EmbeddedEngine, locate
from ...data.curve_plots import CurvePoint, curves_plot
from ...results_file import Row
from ...row_filter import RowFilter
from .arm_rows import rows_of
from .nights import Agent, ArmResult, LearningArm

CASE = "ten nights"
METHODS = {"lifelong": False, "stacked": True}
"""Whether each night goes on from the one before."""
OURS = "lifelong"


@dataclass(frozen=True, kw_only=True)
class NightsScale:
    """How long it goes on, and how much there is of everything."""

    nights: int = 10
    """Nights."""
    awake: int = 12
    """New tasks of each day, answered once."""
    first: int = 128
    """Exercises of the first night."""
    more: int = 32
    """New exercises of each later night."""
    replay: int = 128
    """Most exercises that a night from the base reads."""
    tested: int = 24
    """Unseen tasks after each night."""


SCALE = NightsScale()
"""About half an hour of one core for both."""
QUICK = NightsScale(nights=2, awake=2, first=8, more=4, replay=8, tested=2)


def ten_nights_rows(*, quick: bool, seeds: int, only: RowFilter, values: Mapping[str, Any]) -> list[Row]:
    """Success on the same unseen tasks after each night, a row for each, for each way."""
    environment, scale = make_environment("database"), QUICK if quick else SCALE
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(only.wants_method, METHODS):
            results = []
            for seed in range(seeds):
                settings = Settings(seed=seed).with_values(values)
                engine = EmbeddedEngine(locate(settings.model.name))
                try:
                    results.append(run_nights(METHODS[name], scale, environment, engine, settings, Path(folder)))
                finally:
                    engine.close()
                solved = ", ".join(f"{sum(each)}" for each in results[-1].successes)
                print(f"{CASE}, {name}, seed {seed}: {solved} of {scale.tested}", file=sys.stderr, flush=True)
            rows += rows_of(CASE, name, LearningArm(nights=scale.nights), results)
    return rows


def run_nights(
    stacked: bool, scale: NightsScale, environment: Environment, engine: EmbeddedEngine, settings: Settings, folder: Path
) -> ArmResult:
    """Live through the nights in one way."""
    agent = Agent(LearningArm(), environment, engine, settings, folder)
    days = environment.tasks("train", scale.nights * scale.awake, seed=settings.seed)
    test = environment.tasks("test", scale.tested, seed=settings.seed)
    won: list[Sample] = []
    practised: list[Sample] = []
    successes, tokens = [], []
    try:
        for night in range(scale.nights):
            day = days[night * scale.awake : (night + 1) * scale.awake]
            new_wins = samples(_wins(agent, day))
            new_exercises = _exercised(environment, day, scale.more if night else scale.first, 1000 * settings.seed + night)
            won, practised = [*won, *new_wins], [*practised, *new_exercises]
            replayed = random.Random(f"{settings.seed}/{night}").sample(practised, min(scale.replay, len(practised)))
            start = str(folder / agent.adapter) if stacked and agent.adapter else ""
            agent.train([*new_wins, *new_exercises] if start else [*won, *replayed], start=start)
            runs = agent.solve(test)
            successes.append(tuple(run.outcome.success is True for run in runs))
            tokens.append(sum(run.usage.tokens for run in runs))
    finally:
        agent.retire()
    return ArmResult(successes=tuple(successes), tokens=tuple(tokens), training_seconds=agent.training_seconds)


def _wins(agent: Agent, day: Sequence[Task]) -> list[Episode]:
    pairs = zip(day, agent.solve(day), strict=True)
    return [
        Episode(id=task.id, task=task, steps=run.steps, outcome=run.outcome, skill=task.skill) for task, run in pairs if run.outcome.success
    ]


def _exercised(environment: Environment, day: Sequence[Task], count: int, seed: int) -> list[Sample]:
    return practice_samples(exercises(environment, day, count, seed=seed), {task.id: task.id for task in day})


def plot(rows: Sequence[Row]) -> str | None:
    """Success after each night; none where fewer than two were measured."""
    curves: dict[str, list[CurvePoint]] = {}
    for row in rows:
        night = row.metric.removeprefix("success_night_")
        if row.case == CASE and night.isdecimal():
            curves.setdefault(row.method, []).append(CurvePoint(x=float(night), y=row.value, interval=row.ci95))
    longest = max(map(len, curves.values()), default=0)
    if longest < 2:
        return None
    nights = range(1, longest + 1)
    return curves_plot("agents-nights", curves, ours=(OURS,), x="nights", y="unseen tasks solved", ticks=nights, log_x=False)
