"""Function calls: what is learned from two hundred corrected requests, and from nothing but the functions' schemas."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....agents import Run
from ....core import Action, Settings, Task
from ....serving import EmbeddedEngine, locate
from ...data.function_calls import CATEGORIES, FunctionCallEnvironment
from ...results_file import Row
from ...row_filter import RowFilter
from .arm_rows import rows_of
from .nights import Agent, ArmResult, LearningArm

CASE = "bfcl"
"""Begins the cases, one a category, which are measured in one run."""
ARMS: Mapping[str, LearningArm] = {
    "no_learning": LearningArm(),
    "lifelong_with_corrections": LearningArm(nights=1, shown=True),
    "practice": LearningArm(nights=1, attempts=False),
    "lifelong": LearningArm(nights=2),
}
"""Answers are kept to the functions' schemas in all of them. `lifelong_with_corrections` is shown the right answers to the tasks awake; the
others are shown none: `practice` has one night of exercises from the schemas, `lifelong` a second one with attempts."""
SIZES = (200, 120, 448)
"""Tasks awake, unseen tasks, and exercises a night; categories are taken in turn."""
QUICK = (6, 3, 8)
VALUES: dict[str, Any] = {"sleep.epochs": 4, "sleep.substitution": 0.0}
"""As many passes as were made by hand, chosen by their seconds; names of functions are in the request's tools and are not exchanged."""


def function_call_rows(*, quick: bool, seeds: int, data: Path | None, only: RowFilter, values: Mapping[str, Any]) -> list[Row]:
    """Rows of the wanted arms; none where there is no data directory, with the reason on the standard error."""
    arms = {name: arm for name, arm in ARMS.items() if only.wants_method(name)}
    if data is None or not (data / "bfcl").is_dir():
        print(f"{CASE} is passed over: {data}/bfcl is not there; name a data directory with --data", file=sys.stderr, flush=True)
        return []
    environment, (train_size, test_size, count) = FunctionCallEnvironment(data), QUICK if quick else SIZES
    train, test = environment.tasks("train", train_size), environment.tasks("test", test_size)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, arm in arms.items():
            results = []
            for seed in range(seeds):
                settings = Settings(seed=seed).with_values({**VALUES, **values})
                engine = EmbeddedEngine(locate(settings.model.name))
                try:
                    results.append(measured(arm, environment, engine, settings, Path(folder), train, test, count))
                finally:
                    engine.close()
            for category in CATEGORIES:
                rows += rows_of(f"{CASE}-{category}", name, arm, [result[category] for result in results])
    return rows


def measured(
    arm: LearningArm,
    environment: FunctionCallEnvironment,
    engine: EmbeddedEngine,
    settings: Settings,
    folder: Path,
    train: Sequence[Task],
    test: Sequence[Task],
    count: int,
) -> dict[str, ArmResult]:
    """How an arm does on the unseen tasks of each category; the first reply alone counts, as the leaderboard's single turn."""
    agent = Agent(arm, environment, engine, settings, folder)
    nights: list[list[Run]] = []
    for night in range(arm.nights + 1):
        if night:
            agent.sleep(train, count, night)
        if night or not arm.nights:
            nights.append(agent.solve(test))
            right = sum(first_reply_is_right(environment, task, run) for task, run in zip(test, nights[-1], strict=True))
            print(f"{CASE}, night {night}, seed {settings.seed}: {right} of {len(test)}", file=sys.stderr, flush=True)
    agent.retire()
    found = {}
    for category in CATEGORIES:
        places = [place for place, task in enumerate(test) if task.id.startswith(f"{category}-")]
        found[category] = ArmResult(
            successes=tuple(tuple(first_reply_is_right(environment, test[place], runs[place]) for place in places) for runs in nights),
            tokens=tuple(sum(runs[place].usage.tokens for place in places) for runs in nights),
            training_seconds=agent.training_seconds,
        )
    return found


def first_reply_is_right(environment: FunctionCallEnvironment, task: Task, run: Run) -> bool:
    """Whether the first thing that a run did was right by itself."""
    first = next((step for step in run.steps if isinstance(step, Action)), None)
    return first is not None and environment.right_at_once(task, first.reply)
