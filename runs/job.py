"""`lifelong run`: the main job, with progress bars, a table, `summary.json` and `report.html`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ..core import DataMissing, Settings, SettingsError
from ..envs import DatabaseEnvironment, Environment, GraphEnvironment, LabDatabaseEnvironment, NavigationEnvironment
from ..orchestrator import LifelongLearner
from .report import summary_tables, write_report
from .stream import Family, Progress, Schedule, run_stream

SIZES = {"database": (96, 32, 16), "graph": (96, 32, 16), "navigation": (64, 32, 16), "lab-db": (150, 150, 0)}
"""Tasks of the stream, unseen tasks, and tasks after the night, for each family: a quarter of an hour on two cores."""


def environment_of(family: str, data: Path | None) -> Environment:
    """The environment of a family name. Raises `SettingsError` for an unknown one, `DataMissing` where it has no data."""
    if family == "lab-db":
        if data is None:
            raise DataMissing("family lab-db reads lifelongagentbench/db_bench.json; name the data directory with --data or LIFELONG_DATA")
        return LabDatabaseEnvironment(data)
    kinds: dict[str, type[Environment]] = {
        "database": DatabaseEnvironment,
        "graph": GraphEnvironment,
        "navigation": NavigationEnvironment,
    }
    if family not in kinds:
        raise SettingsError(f"there is no family {family!r}; there are: {', '.join(SIZES)}")
    return kinds[family]()


def run_job(
    settings: Settings,
    *,
    families: Sequence[str],
    corrections: int,
    directory: Path,
    resume: bool = False,
    data: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run the stream in `directory` and leave `summary.json` and `report.html` there; returns the summary.

    Without `resume` the directory must hold no earlier run; with it, the run there goes on where it stopped, under the
    families, corrections and settings with which it began. Raises `SettingsError` when these differ.
    """
    schedule = Schedule(families=tuple(_family(name, data) for name in families), corrections=corrections)
    settings = replace(settings, home=directory / "home")
    _prepare(directory, {"families": list(families), "corrections": corrections, "seed": settings.seed}, resume)
    with LifelongLearner.open(settings) as learner:
        summary = run_stream(learner, schedule, progress=progress)
    _write(directory / "summary.json", json.dumps(summary, indent=1))
    write_report(summary, directory / "report.html")
    console = Console()
    for table in summary_tables(summary):
        console.print(table)
    console.print(f"report: {directory / 'report.html'}")
    return summary


def _family(name: str, data: Path | None) -> Family:
    environment = environment_of(name, data)
    train, test, practice = SIZES[name]
    return Family(environment=environment, train=train, test=test, practice=practice)


def _prepare(directory: Path, plan: dict[str, Any], resume: bool) -> None:
    """A run's plan is kept beside it: what goes on must be what began."""
    file = directory / "plan.json"
    if resume and not file.exists():
        raise SettingsError(f"there is no run to resume in {directory}; leave --resume away to begin one")
    if resume and (begun := json.loads(file.read_text())) != plan:
        raise SettingsError(f"the run in {directory} began with {begun}, and is asked to go on with {plan}; use the same flags")
    if not resume:
        shutil.rmtree(directory / "home", ignore_errors=True)
        directory.mkdir(parents=True, exist_ok=True)
        _write(file, json.dumps(plan))


def _write(file: Path, text: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
