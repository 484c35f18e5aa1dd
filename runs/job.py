"""`lifelong run`: stream, summary, tables, `summary.json` and `report.html`, in a folder for each run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..core import Settings, SettingsError
from ..core.paths import AnyPath
from ..core.versions import short_name
from ..envs import make_environment
from ..memory.artefacts import RUN_HOME, RUN_REPORT, RUN_SUMMARY
from ..metrics.tables import print_tables
from ..orchestrator import LifelongLearner, Progress
from .folders import begin_run, discard_run, find_run, point_latest, write_file
from .report import closing_lines, summary_tables, write_report
from .stream import RunEnvironment, Schedule, run_stream

SIZES = {
    "database": (96, 32, 16),
    "graph": (96, 32, 16),
    "navigation": (64, 32, 16),
    "objectnav-grid": (32, 16, 8),
    "lab-db": (150, 150, 0),
}
"""Tasks of the stream, unseen tasks, and tasks after the night, for each environment: a quarter of an hour on two cores.

No run of `objectnav-grid` has been timed; its episodes are twice as long as those of `navigation`."""
SIZE = (96, 32, 16)
"""The same for an environment that `SIZES` does not name."""


def run_job(
    settings: Settings,
    *,
    environments: Sequence[str],
    corrections: int,
    out: AnyPath,
    resume: bool = False,
    data: AnyPath | None = None,
    tasks: tuple[int, int, int] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run the stream in a new folder below `out` and leave `summary.json` and `report.html` there; returns that folder.

    `environments` are names of environments, or `module:Class`; `tasks` are the sizes of `SIZES` for all of them.
    With `resume` the latest run (or `out`, if it is a run itself) goes on where it stopped, under the environments, corrections
    and seed with which it began. Earlier runs are never changed. Raises `SettingsError` where `out` cannot be used or holds no
    such run, and what opening the learner raises.
    """
    out = Path(out)
    members = tuple(_run_environment(name, data, tasks, settings.seed) for name in environments)
    schedule = Schedule(environments=members, corrections=corrections)
    plan: dict[str, Any] = {"environments": list(environments), "corrections": corrections, "seed": settings.seed}
    if tasks:
        plan["tasks"] = list(tasks)
    folder = find_run(out, plan) if resume else begin_run(out, plan)
    with _open(replace(settings, home=folder / RUN_HOME), folder, resume) as learner:
        summary = run_stream(learner, schedule, progress=progress, write=partial(_write, folder))
    print_tables(summary_tables(summary), [*closing_lines(summary), f"report: {folder / RUN_REPORT}"])
    return folder


def _write(folder: Path, summary: dict[str, Any]) -> None:
    write_file(folder / RUN_SUMMARY, json.dumps(summary, indent=1))
    write_report(summary, folder / RUN_REPORT)


def _open(settings: Settings, folder: Path, resume: bool) -> LifelongLearner:
    """Open the learner; only a run that could begin becomes the latest, and one that could not leaves no folder behind."""
    try:
        learner = LifelongLearner.open(settings)
    except BaseException:
        if not resume:
            discard_run(folder)
        raise
    point_latest(folder)
    return learner


def _run_environment(name: str, data: AnyPath | None, tasks: tuple[int, int, int] | None, seed: int) -> RunEnvironment:
    environment = make_environment(name, data)
    train, test, practice = tasks or SIZES.get(short_name(environment.id), SIZE)
    try:
        environment.tasks("train", train + practice, seed=seed)
        environment.tasks("test", test, seed=seed)
    except ValueError as error:
        raise SettingsError(f"environment {environment.id} has too few tasks ({error}); ask for fewer with --tasks") from error
    return RunEnvironment(environment=environment, train=train, test=test, practice=practice)
