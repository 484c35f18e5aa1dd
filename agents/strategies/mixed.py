"""One learner for several kinds of tasks: object navigation goes to the home's navigator, all else to a language agent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ...core.paths import AnyPath
from ...memory.artefacts import CHECKPOINT, NAVIGATOR
from ..strategy import Job, Run, Strategy
from .navigate import OBJECT_NAVIGATION, NavigateStrategy


def act_by_kind(strategy: Strategy, jobs: Sequence[Job], home: AnyPath) -> list[Run]:
    """Run jobs, those of object navigation by the navigator in the home where there is one, the others by a strategy.

    Raises `CheckpointDamaged` for a navigator that cannot be loaded.
    """
    places = [place for place, job in enumerate(jobs) if job.environment is not None and job.environment.id == OBJECT_NAVIGATION]
    navigator = newest_checkpoint(home) if places else None
    if navigator is None:
        return strategy.act(jobs)
    from ...learners.navigation.checkpoints import load_checkpoint

    walker = NavigateStrategy(load_checkpoint(navigator).navigator)
    walked = dict(zip(places, walker.act([jobs[place] for place in places]), strict=True))
    others = iter(strategy.act(left) if (left := [job for place, job in enumerate(jobs) if place not in walked]) else [])
    return [walked[place] if place in walked else next(others) for place in range(len(jobs))]


def newest_checkpoint(home: AnyPath) -> Path | None:
    """What the home's navigator has become after its last stage; None in a home without one."""
    root = Path(home) / NAVIGATOR
    stages = [(int(match[1]), path) for path in root.glob("stage-*") if (match := re.fullmatch(r"stage-(\d+)", path.name))]
    return max(((number, path) for number, path in stages if (path / CHECKPOINT).is_file()), default=(0, None))[1]
