"""Plan: what the night does beside learning from verified runs and corrections, chosen from what there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...agents.consolidation.plan import NightPlan, SkillSituation, plan_night
from ...agents.consolidation.practice import practice_source
from ...core import AdapterStatus, Episode
from ...envs import Environment, find_environment
from ...learners import TrainingReport
from ..held_out import Key, is_held_out, key
from .phase import NightContext, Scope, Work

SAMPLE_SECONDS = 1.0
"""Seconds of one pass over one sample where no training was measured yet: SmolLM2-135M takes 0.8 on two idle cores."""
ATTEMPT_SUFFIX = "-attempt"
"""Ends the id of an episode that a night's attempt made."""


class PlanNight:
    """Choose practice, attempts, both or none."""

    name = "plan"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended and night.components.base_path.is_dir()

    def run(self, night: NightContext, work: Work) -> Work:
        settings = night.components.settings.sleep
        solved, failed, corrections = sorted_tasks(night, work.skill)
        environment = environment_of(night, failed or solved)
        plan = plan_night(
            SkillSituation(
                corrections=corrections,
                wins=len(solved),
                failures=len(failed),
                exercises=practice_source(environment, [episode.task for episode in (*solved, *failed)]) is not None,
                adapter=bool(night.components.record.adapters.route(night.tenant, work.skill)) and environment is not None,
                seconds_left=night.seconds_left,
                sample_seconds=_sample_seconds(night),
            ),
            mode=settings.practice,
            exercises=settings.exercises,
            attempts=settings.attempts,
        )
        return replace(work, plan=plan)


def sorted_tasks(night: NightContext, skill: str) -> tuple[list[Episode], list[Episode], int]:
    """The newest run of each solved, and of each failed and uncorrected, task that may be learned from, and how many were corrected.

    Held-out tasks are in neither: nothing is made of them.
    """
    settings, seed = night.components.settings.sleep, night.components.settings.seed
    solved: dict[Key, Episode] = {}
    failed: dict[Key, Episode] = {}
    corrected: set[Key] = set()
    for episode in night.components.record.episodes.find(tenant=night.tenant, skill=skill):
        if is_held_out(episode, seed, settings.held_out):
            continue
        if episode.correction or (episode.demonstration and not episode.id.endswith(ATTEMPT_SUFFIX)):
            corrected.add(key(episode))
        elif episode.trainable:
            solved[key(episode)] = episode
        elif episode.outcome.success is False:
            failed[key(episode)] = episode
    open_ones = [one for name, one in failed.items() if name not in solved and name not in corrected]
    return list(solved.values()), open_ones, len(corrected)


def environment_of(night: NightContext, episodes: list[Episode]) -> Environment | None:
    """The environment that judges a skill's newest task; None where it is not here."""
    return find_environment(night.environments, episodes[-1].task.environment) if episodes else None


def plan_of(work: Work) -> NightPlan:
    """The night's plan; one that does nothing more where none was made."""
    return work.plan or NightPlan(attempts=0, exercises=0, reason="")


def _sample_seconds(night: NightContext) -> float:
    """What the newest training on this home took for one pass over one sample."""
    for adapter in reversed(night.components.record.adapters.find(tenant=night.tenant)):
        if adapter.status is AdapterStatus.ERASED:
            continue
        try:
            report = TrainingReport.read(Path(adapter.path))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if report.steps and report.seconds > 0:
            return report.seconds / (report.steps * night.components.settings.sleep.batch_size)
    return SAMPLE_SECONDS
