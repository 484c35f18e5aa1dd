"""A navigator in the place of a language model: it looks at what is in view, and moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...core import MalformedTask, Outcome, Thought, Usage
from ..strategy import Job, Run
from .direct import keep
from .rollout import STEP_SECONDS, Rollout

if TYPE_CHECKING:
    from ...envs import ObjectNavGridEnvironment
    from ...learners.navigation.abstention import Abstention, Decline
    from ...learners.navigation.navigator import Navigator

NAVIGATOR_MODEL = "navigator"
"""What the record names as the model of runs that a navigator acted in."""
OBJECT_NAVIGATION = "objectnav-grid-v1"
"""Id of the environment that it acts in; known without importing it, which is slow."""
Watcher = Callable[["ObjectNavGridEnvironment", str], None]
"""Called after every step of the first job with its environment and what was done, `` before the first, and where it was declined."""


class NavigateStrategy:
    """Runs jobs of object navigation side by side, one batch of views a step. It asks no engine, so it uses no tokens.

    With `abstention` it declines goals that it was never taught and gives up episodes that will fail; the run's last thought and the
    reason of its outcome say so. A declined goal has nobody's judgement (success None); to give up is a failure.
    """

    def __init__(
        self,
        navigator: Navigator,
        *,
        abstention: Abstention | None = None,
        step_seconds: float = STEP_SECONDS,
        watch: Watcher | None = None,
    ) -> None:
        self.navigator = navigator
        self.abstention = abstention
        self._step_seconds = step_seconds
        self._watch = watch

    def act(self, jobs: Sequence[Job]) -> list[Run]:
        """See `Strategy.act`. Raises `MalformedTask` for a job of another environment."""
        from ...envs import ObjectNavGridEnvironment
        from ...learners.navigation.navigator import likeliest
        from ...learners.navigation.trajectories import ACTIONS

        for job in jobs:
            if job.environment is None or job.environment.id != OBJECT_NAVIGATION:
                raise MalformedTask(f"task {job.task.id!r} is no object navigation; a navigator acts in {OBJECT_NAVIGATION} only")
        rollouts = [Rollout(job=job, step_seconds=self._step_seconds) for job in jobs]
        last, state = [len(ACTIONS)] * len(jobs), self.navigator.begin(len(jobs))
        try:
            for rollout in rollouts:
                rollout.begin()
            self._show(rollouts, "")
            # An episode that has ended, or could not begin, keeps its place in the batch with an empty view.
            views = np.zeros((len(jobs), 7, 7, 3), dtype=np.uint8)
            wanted = [_world(one).wanted if not one.done else ObjectNavGridEnvironment().categories[0] for one in rollouts]
            declining = self.abstention.begin(wanted) if self.abstention else None
            while open_ones := [place for place, rollout in enumerate(rollouts) if not rollout.done]:
                started = time.perf_counter()
                for place in open_ones:
                    views[place] = _world(rollouts[place]).look()
                reading, state = self.navigator.read(views, wanted, last, state)
                share = (time.perf_counter() - started) / len(open_ones)
                if declining is not None:
                    open_ones = self._decline(rollouts, open_ones, declining.read(reading), Usage(seconds=share))
                for place in open_ones:
                    last[place] = likeliest(reading.logits[place], rollouts[place].admissible)
                    rollouts[place].decide(ACTIONS[last[place]], Usage(seconds=share))
                keep([rollouts[place] for place in open_ones])
                for place in open_ones:
                    rollouts[place].carry_out()
                keep([rollouts[place] for place in open_ones])
                if 0 in open_ones:
                    self._show(rollouts, ACTIONS[last[0]])
        finally:
            runs = [replace(rollout.result(), model=NAVIGATOR_MODEL) for rollout in rollouts]
        return runs

    def _decline(self, rollouts: Sequence[Rollout], places: Sequence[int], declined: Sequence[Decline | None], usage: Usage) -> list[int]:
        """End the runs that are declined without a further action, and say why; the places of the others."""
        for place in places:
            if (decline := declined[place]) is not None:
                one = rollouts[place]
                one.steps.append(Thought(text=decline.text))
                success = None if decline.reason == "unknown goal" else False
                one.outcome, one.usage, one.done = Outcome(success=success, reason=decline.text), one.usage + usage, True
                keep([one])
                if place == 0:
                    self._show(rollouts, f"nothing more; {decline.text}")
        return [place for place in places if not rollouts[place].done]

    def _show(self, rollouts: Sequence[Rollout], done: str) -> None:
        if self._watch is not None and rollouts and rollouts[0].environment is not None:
            self._watch(_world(rollouts[0]), done)


def show_search(job: Job, *, step_seconds: float = STEP_SECONDS) -> Run:
    """The expert that searches (`ObjectNavGridEnvironment.search`), carried out and judged; a run that fails has no success.

    Raises as `Rollout.begin`.
    """
    rollout = Rollout(job=job, step_seconds=step_seconds)
    seen: set[tuple[int, int]] = set()
    try:
        rollout.begin()
        while not rollout.done:
            action = rollout.guarded(lambda: _world(rollout).search(seen))
            if action is not None:
                rollout.advance(action, Usage())
    finally:
        run = rollout.result()
    return run


def _world(rollout: Rollout) -> ObjectNavGridEnvironment:
    from ...envs import ObjectNavGridEnvironment

    assert isinstance(rollout.environment, ObjectNavGridEnvironment), "checked before it began"
    return rollout.environment
