"""What memory and adapters do to success, tokens and time, and the withdrawal of what does harm.

Sessions are drawn into arms, so treated and control differ by nothing but a coin's fall. An outcome in the control arm is when this is
looked at, and only where the control arm has 8, 16, 32, ... judged runs: every further look is a further chance to be misled by chance.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ...core import Episode, LessonStatus
from ...memory import ArmDifference, Record, arm_differences, differences_by_skill, memory_effect
from ..components import Components, log
from ..run_state import Withdrawn

FEWEST = 8
"""Fewest sessions in both arms on which anything is withdrawn."""
MOST_LESSONS = 20
"""Lessons whose effect is listed, those shown most often first."""


@dataclass(frozen=True, kw_only=True)
class LessonEffect:
    """A lesson and what it does."""

    id: str
    """The lesson."""
    skill: str
    """Its skill."""
    status: LessonStatus
    """Where it is in its life."""
    differences: tuple[ArmDifference, ...]
    """Runs in which it was shown, against the other arms."""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What memory and adapters do for one tenant."""

    tenant: tuple[ArmDifference, ...]
    """Over all skills."""
    skills: dict[str, tuple[ArmDifference, ...]]
    """Skill by skill; the empty name stands for tasks of no known skill."""
    lessons: tuple[LessonEffect, ...]
    """Lesson by lesson."""
    withdrawn: tuple[Withdrawn, ...]
    """What is withdrawn now."""

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "tenant": [_shown(one) for one in self.tenant],
            "skills": {skill: [_shown(one) for one in found] for skill, found in self.skills.items()},
            "lessons": [
                {"id": one.id, "skill": one.skill, "status": one.status.value, "differences": [_shown(each) for each in one.differences]}
                for one in self.lessons
            ],
            "withdrawn": [{"skill": one.skill, "reason": one.reason, "created": one.created} for one in self.withdrawn],
        }


def _shown(one: ArmDifference) -> dict[str, Any]:
    values = {**asdict(one), "difference": one.difference}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def effects_of(record: Record, tenant: str) -> Effects:
    """All effects of a tenant that its runs so far show; reads no body."""
    shown = sorted(record.lessons.find(tenant), key=lambda one: (-(one.helped + one.harmed), one.id))[:MOST_LESSONS]
    lessons = [
        LessonEffect(id=one.id, skill=one.skill, status=one.status, differences=found)
        for one in shown
        if one.helped + one.harmed and (found := arm_differences(record, tenant, skill=one.skill, lesson=one.id))
    ]
    return Effects(
        tenant=arm_differences(record, tenant),
        skills=differences_by_skill(record, tenant),
        lessons=tuple(lessons),
        withdrawn=tuple(one for one in record.state.find(Withdrawn, tenant=tenant) if one.active),
    )


def is_withdrawn(record: Record, tenant: str, skill: str) -> bool:
    """Whether memory and adapter of a skill are withdrawn."""
    found = record.state.get(Withdrawn, tenant=tenant, skill=skill)
    return found is not None and found.active


def restore(record: Record, tenant: str, skill: str) -> None:
    """Put back what was withdrawn of a skill, since something new serves it; runs before now do not count against it."""
    if is_withdrawn(record, tenant, skill):
        last = record.episodes.fingerprint(tenant).last
        record.state.put(Withdrawn(tenant=tenant, skill=skill, active=False, since=last, created=time.time()))


def review(components: Components, episode: Episode) -> None:
    """Withdraw what the outcomes so far, with this one, show to do harm. A failure costs the review alone (invariant Fail open)."""
    components.guarded("effect", partial(_review, components.record, episode), None)


def _review(record: Record, episode: Episode) -> None:
    tenant, skill = episode.task.tenant, episode.skill
    if not (episode.control and episode.offered and episode.outcome.success is not None and episode.outcome.judge.trusted):
        return
    judged = memory_effect(record, tenant, skill).control_total
    if judged < FEWEST or judged & (judged - 1):
        return
    before = record.state.get(Withdrawn, tenant=tenant, skill=skill)
    since = before.since if before is not None else 0
    if harm := _harm(arm_differences(record, tenant, skill=skill, since=since)):
        log.warning("memory and adapter of skill %r are withdrawn: %s", skill, harm)
        record.state.put(Withdrawn(tenant=tenant, skill=skill, reason=harm, created=time.time()))
    for lesson in record.lessons.find(tenant, skill):
        if lesson.status is not LessonStatus.RETIRED and (harm := _harm(arm_differences(record, tenant, skill=skill, lesson=lesson.id))):
            log.warning("lesson %s is retired: %s", lesson.id, harm)
            record.lessons.set_status([lesson.id], LessonStatus.RETIRED)


def _harm(differences: tuple[ArmDifference, ...]) -> str:
    """The figures that show harm against the control arm; empty where none do."""
    for one in differences:
        if one.arm == "control" and one.harmful and one.ci95 is not None and min(one.sessions) >= FEWEST:
            with_it, without = one.episodes
            interval = f"95 % interval of the difference {one.ci95[0]:+.2f} to {one.ci95[1]:+.2f}"
            return f"{one.treated:.0%} of {with_it} runs succeeded with it, {one.other:.0%} of {without} without; {interval}"
    return ""
