"""The learner as commands open it: with every environment that can judge held-out tasks."""

from __future__ import annotations

from pathlib import Path

from ...core import Settings
from ...envs import make_all
from ...orchestrator import LifelongLearner


def open_learner(settings: Settings, data: Path | None) -> LifelongLearner:
    """A learner over `settings`. Raises what `LifelongLearner.open` raises, and `DataMissing` for a wrong data directory.

    Tasks of environments that are not there (without a data directory those that read one) are judged from the record alone.
    """
    return LifelongLearner.open(settings, make_all(data))
