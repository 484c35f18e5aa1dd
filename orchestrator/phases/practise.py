"""Practise: exercises are made up over what failed and solved tasks showed, more of those kinds that the adapter gets wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ...agents.consolidation.practice import exercise_results, practice_samples, template_weights
from ...agents.strategies.rollout import STEP_SECONDS
from ...envs import Environment
from ...envs.caller import Caller
from ...envs.practice import Exercise, exercises
from ...learners import Sample
from ...numerics.draws import draw
from .phase import NightContext, Scope, Work
from .plan import environment_of, plan_of, sorted_tasks

EXAMINED = 64
"""Exercises that the serving adapter is given, to see which kinds it gets wrong."""


class Practise:
    """Gather exercises as samples of their own, marked as practice; the gate judges on real tasks alone."""

    name = "practise"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended and plan_of(work).exercises > 0

    def run(self, night: NightContext, work: Work) -> Work:
        plan, components = plan_of(work), night.components
        # A failure costs the practice and not the night (invariant Fail open).
        found: list[Sample] = components.guarded("practice", partial(self._samples, night, work), [])
        summary = f"{len(found)} exercises practised" if found else "no exercise could be made"
        return replace(work, practice=tuple(found), plan=replace(plan, reason=f"{plan.reason}; {summary}"))

    def _samples(self, night: NightContext, work: Work) -> list[Sample]:
        solved, failed, _ = sorted_tasks(night, work.skill)
        environment = environment_of(night, failed or solved)
        assert environment is not None, "exercises are planned only where an environment makes them"
        episodes = {episode.task.id: episode for episode in (*solved, *failed)}
        tasks = [episodes[id_].task for id_ in sorted(episodes)]
        # Others every night, and the same when an interrupted night is taken up.
        seed = int(draw(night.components.settings.seed, "exercises", work.adapter) * 2**31)
        caller = Caller(STEP_SECONDS)
        try:
            examined = caller.call(lambda: exercises(environment, tasks, EXAMINED, seed=seed + 1))
            # Kinds that cannot be examined are practised as usual.
            weights: dict[str, float] = night.components.guarded("practice", lambda: self._weights(night, work, environment, examined), {})
            made = caller.call(lambda: exercises(environment, tasks, plan_of(work).exercises, weights=weights, seed=seed))
        finally:
            caller.end(lambda: None)
        return [replace(sample, skill=work.skill) for sample in practice_samples(made, {id_: one.id for id_, one in episodes.items()})]

    def _weights(self, night: NightContext, work: Work, environment: Environment, made: list[Exercise]) -> dict[str, float]:
        components = night.components
        adapter = components.publish(components.record.adapters.route(night.tenant, work.skill))
        if not adapter:
            return {}
        return template_weights(
            exercise_results(made, environment, components.engine, adapter=adapter, constrain=components.settings.wake.grammar)
        )
