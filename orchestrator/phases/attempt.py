"""Attempt: failed tasks are tried again with several samples; what the environment confirms is recorded and learned from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...agents import Job
from ...agents.consolidation.attempts import TEMPERATURE, Group, solutions, suspicious
from ...agents.consolidation.diagnosis import diagnosis, dropped
from ...agents.strategies.direct import DirectStrategy
from ...core import Episode, Task
from ...envs import Environment
from ...memory.recall.solved import nearest_solved
from ...numerics.draws import draw
from .phase import NightContext, OutOfTime, Scope, Work
from .plan import ATTEMPT_SUFFIX, environment_of, plan_of, sorted_tasks

BATCH = 16
"""Attempts that run side by side."""


class Attempt:
    """Sample answers to failed tasks with the adapter that serves, and record the confirmed ones as the night's own."""

    name = "attempt"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended and plan_of(work).attempts > 0

    def run(self, night: NightContext, work: Work) -> Work:
        components = night.components
        solved, failed, _ = sorted_tasks(night, work.skill)
        environment = environment_of(night, failed)
        assert environment is not None, "attempts are planned only where an environment judges"
        order = sorted(failed, key=lambda one: draw(components.settings.seed, "attempt", work.adapter, one.task.id))
        chosen = order[: components.settings.sleep.attempted_tasks]
        adapter = components.publish(components.record.adapters.route(night.tenant, work.skill))
        templates = solved if components.settings.wake.templates else []
        nearest = nearest_solved(components.record, night.tenant, chosen, templates)
        groups = self._groups(night, chosen, nearest, environment, adapter, plan_of(work).attempts)
        if reason := suspicious(groups):
            return replace(work, plan=replace(plan_of(work), reason=f"{plan_of(work).reason}; nothing was kept of the attempts: {reason}"))
        found = 0
        for episode, group in zip(chosen, groups, strict=True):
            # The record knows an attempt as a demonstration: it corrects a failed run and tells nothing of how the agent does awake.
            for number, run in enumerate(solutions(group)):
                won = Episode(
                    id=f"{episode.id}-{work.adapter}-{number}{ATTEMPT_SUFFIX}",
                    task=episode.task,
                    steps=run.steps,
                    outcome=run.outcome,
                    skill=work.skill,
                    model=components.engine.model,
                    adapter=adapter,
                    demonstration=True,
                    created=time.time(),
                )
                found += _record(night, won, episode)
        notes = [f"attempts solved {found} more", *filter(None, (dropped(groups), "" if found else diagnosis(groups)))]
        return replace(work, plan=replace(plan_of(work), reason="; ".join([plan_of(work).reason, *notes])))

    def _groups(
        self,
        night: NightContext,
        episodes: Sequence[Episode],
        nearest: Sequence[tuple[tuple[Task, str], ...]],
        environment: Environment,
        adapter: str,
        attempts: int,
    ) -> list[Group]:
        components = night.components
        jobs = [
            Job(
                task=episode.task,
                environment=environment,
                adapter=adapter,
                max_tokens=components.settings.model.max_tokens,
                temperature=TEMPERATURE,
                seed=int(draw(components.settings.seed, "attempt", episode.id, str(number)) * 2**31),
                constrain=components.settings.wake.grammar,
                solved=solved,
                # Every other attempt follows a template, each another one: more of the same samples find little that is new.
                template=number // 2 if number % 2 else None,
            )
            for episode, solved in zip(episodes, nearest, strict=True)
            for number in range(attempts)
        ]
        strategy, runs = DirectStrategy(components.engine), []
        for start in range(0, len(jobs), BATCH):
            night.check()
            if night.out_of_time:
                raise OutOfTime
            night.progress(self.name, start, len(jobs))
            runs += strategy.act(jobs[start : start + BATCH])
        return [
            Group(task=episode.task.id, runs=tuple(runs[place * attempts : (place + 1) * attempts]))
            for place, episode in enumerate(episodes)
        ]


def _record(night: NightContext, won: Episode, source: Episode) -> bool:
    """Record an attempt beside the run whose task it solves; whether it is new. An erased task stays erased."""
    record = night.components.record
    with record.transaction():
        ids, vectors = record.episodes.vectors(tenant=night.tenant, ids=[source.id])
        if not ids or record.episodes.get_many([won.id], tenant=night.tenant):
            return False
        record.episodes.record_many([(won, np.asarray(vectors[0]))])
    return True
