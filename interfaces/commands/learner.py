"""The learner as commands open it: with every environment that can judge held-out tasks."""

from __future__ import annotations

from pathlib import Path

from ...core import Settings
from ...orchestrator import LifelongLearner
from ...runs.job import SIZES, environment_of

READS_DATA = "lab-db"
"""The family that reads files; without a data directory its tasks are judged from the record alone."""


def open_learner(settings: Settings, data: Path | None) -> LifelongLearner:
    """A learner over `settings`. Raises what `LifelongLearner.open` raises, and `DataMissing` for a wrong data directory."""
    families = [name for name in SIZES if data is not None or name != READS_DATA]
    environments = [environment_of(name, data) for name in families]
    return LifelongLearner.open(settings, {environment.id: environment for environment in environments})
