"""One answer a step: the model is asked, the environment answers, until the episode ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from ...core import MalformedTask, Task, Usage
from ...core.errors import DemonstrationFailed
from ...envs import Environment
from ...envs.caller import Caller
from ...serving import Engine
from ..strategy import Job, Run
from .rollout import STEP_SECONDS, Rollout


class DirectStrategy:
    """Runs jobs side by side: every open run contributes one request to each batch. A refused composed answer ends its run,
    unless the environment's `history` shows what was refused.
    """

    def __init__(self, engine: Engine, *, step_seconds: float = STEP_SECONDS) -> None:
        self._engine = engine
        self._step_seconds = step_seconds

    def act(self, jobs: Sequence[Job]) -> list[Run]:
        """See `Strategy.act`."""
        rollouts = [Rollout(job=job, attempts=self.attempts(job), step_seconds=self._step_seconds, engine=self._engine) for job in jobs]
        try:
            for rollout in rollouts:
                rollout.begin()
            while open_ones := [rollout for rollout in rollouts if not rollout.done]:
                self._ask([rollout for rollout in open_ones if not self.answers_itself(rollout)])
        finally:
            runs = [rollout.result() for rollout in rollouts]
        return runs

    def attempts(self, job: Job) -> int:
        """How many composed answers a run may try while the environment refuses them."""
        return 1

    def answers_itself(self, rollout: Rollout) -> bool:
        """Advance a run without asking the model for a new answer, where the strategy has one; whether it did."""
        return False

    def _ask(self, rollouts: Sequence[Rollout]) -> None:
        if not rollouts:
            return
        started = time.perf_counter()
        replies = self._engine.chat([rollout.request() for rollout in rollouts])
        share = (time.perf_counter() - started) / len(rollouts)
        for rollout, reply in zip(rollouts, replies, strict=True):
            rollout.decide(reply.text, replace(reply.usage, seconds=share), reply.logprob, reply.tool_calls, cut=not reply.finished)
        # What is about to be done is on disk before it is done, and what came of it before the model is asked again.
        keep(rollouts)
        for rollout in rollouts:
            rollout.carry_out()
        keep(rollouts)


def keep(rollouts: Sequence[Rollout]) -> None:
    """Write what runs have come to since the last call into their journals, all runs of one journal at once."""
    found = [(rollout.job.journal, kept) for rollout in rollouts if (kept := rollout.unkept()) is not None]
    for journal in {id(journal): journal for journal, _ in found}.values():
        assert journal is not None
        journal.keep([kept for other, kept in found if other is journal])


def replay(task: Task, environment: Environment, engine: Engine | None = None) -> Run:
    """The expert's demonstration carried out and judged: not every expert is right in every environment.

    With an engine, each action keeps how much of the run its model would have been shown. Raises `MalformedTask` for another
    environment's task, `DemonstrationFailed` where the expert fails or takes longer than `STEP_SECONDS`.
    """
    actions = _demonstrated(task, environment)
    rollout = Rollout(job=Job(task=task, environment=environment), engine=engine)
    try:
        rollout.begin()
        for action in actions:
            if not rollout.done:
                rollout.advance(action, Usage())
    finally:
        run = rollout.result()
    return run


def _demonstrated(task: Task, environment: Environment) -> tuple[str, ...]:
    """The expert's actions, asked of an instance of its own in a thread of its own."""

    def ask() -> tuple[str, ...]:
        expert = environment.spawn()
        try:
            return tuple(expert.demonstrate(task).actions)
        finally:
            expert.close()

    caller = Caller(STEP_SECONDS)
    try:
        return caller.call(ask)
    except MalformedTask:
        raise
    except TimeoutError as error:
        raise DemonstrationFailed(f"task {task.id!r} of {environment.id}: the expert was too slow: {error}") from None
    except Exception as error:  # an environment of others may raise anything
        raise DemonstrationFailed(f"task {task.id!r} of {environment.id}: {type(error).__name__}: {error}") from error
    finally:
        caller.end(lambda: None)
