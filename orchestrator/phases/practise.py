"""Practise: exercises are made up over what failed and solved tasks showed, more of those kinds that the adapter gets wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ...agents.consolidation.practice import exercise_results, made_exercises, practice_samples, practice_source, template_weights
from ...agents.strategies.rollout import STEP_SECONDS
from ...envs.caller import Caller
from ...envs.practice import Exercise
from ...learners import Sample
from ...memory.recall.solved import is_one_answer
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
        episodes = {episode.task.id: episode for episode in (*solved, *failed)}
        tasks = [episodes[id_].task for id_ in sorted(episodes)]
        source = practice_source(environment_of(night, failed or solved), tasks)
        assert source is not None, "exercises are planned only where somebody makes them"
        pairs = [(episode.task, episode.answer) for episode in solved if is_one_answer(episode)]
        real = [episode.task.goal for episode in night.components.record.episodes.find(tenant=night.tenant, skill=work.skill)]
        # Others every night, and the same when an interrupted night is taken up.
        seed = int(draw(night.components.settings.seed, "exercises", work.adapter) * 2**31)
        caller = Caller(STEP_SECONDS)
        try:
            examined = caller.call(lambda: made_exercises(source, tasks, pairs, EXAMINED, seed=seed + 1))
            # Kinds that cannot be examined are practised as usual.
            weights: dict[str, float] = night.components.guarded("practice", lambda: self._weights(night, work, source, examined), {})
            count = plan_of(work).exercises
            made = caller.call(lambda: made_exercises(source, tasks, pairs, count, weights=weights, seed=seed, without=real))
        finally:
            caller.end(lambda: None)
        return [replace(sample, skill=work.skill) for sample in practice_samples(made, {id_: one.id for id_, one in episodes.items()})]

    def _weights(self, night: NightContext, work: Work, source: object, made: list[Exercise]) -> dict[str, float]:
        components = night.components
        adapter = components.publish(components.record.adapters.route(night.tenant, work.skill))
        if not adapter:
            return {}
        return template_weights(
            exercise_results(made, source, components.engine, adapter=adapter, constrain=components.settings.wake.grammar)
        )
