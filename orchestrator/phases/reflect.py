"""Reflect: contrasted failures and successes become lessons, and lessons that were shown are judged by their effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...agents import Writer, reflect
from ...core import Episode, Lesson, LessonStatus
from ...memory import posterior
from ...perception import history_chance
from ..components import Components
from .phase import NightContext, Scope, Work

NEWEST = 256
"""Newest failed, and newest solved, runs of a skill that are contrasted: older ones were, and the time must not grow with them."""


class Reflect:
    """Write lessons from evidence; the ids of lessons are hashes, so that the same lesson is never written twice."""

    name = "reflect"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended

    def run(self, night: NightContext, work: Work) -> Work:
        components, tenant, skill = night.components, night.tenant, work.skill
        store, find = components.record.lessons, components.record.episodes.find
        failed = find(tenant=tenant, skill=skill, success=False, newest_first=True, limit=NEWEST)[::-1]
        solved = find(tenant=tenant, skill=skill, success=True, newest_first=True, limit=NEWEST)[::-1]
        solved = [episode for episode in solved if episode.outcome.verified]
        written = reflect(
            failed,
            solved,
            nearest=_nearest(components, tenant, failed, solved),
            writer=_guarded(components),
            author=components.settings.model.reflector_model or "evidence",
        )
        known = {lesson.id for lesson in store.find(tenant=tenant, skill=skill)}
        fresh = [lesson for lesson in written if lesson.id not in known]
        for lesson in fresh:
            store.record(lesson)
        self._judge(components, tenant, skill)
        return replace(work, lessons=len(fresh))

    def _judge(self, components: Components, tenant: str, skill: str) -> None:
        counts = components.perceiver(tenant).outcome_counts(skill, components.record.adapters.route(tenant, skill))
        without = float(history_chance(*counts))
        for lesson in components.record.lessons.find(tenant=tenant, skill=skill):
            status = _standing(lesson, without)
            if status is not lesson.status:
                components.record.lessons.set_status([lesson.id], status)


def _nearest(components: Components, tenant: str, failed: Sequence[Episode], solved: Sequence[Episode]) -> dict[str, str]:
    """Of each failed run, the solved run whose recorded vector is nearest, by id."""
    wrong, queries = components.record.episodes.vectors(tenant=tenant, ids=[episode.id for episode in failed])
    right, keys = components.record.episodes.vectors(tenant=tenant, ids=[episode.id for episode in solved])
    if not wrong or not right:
        return {}
    return {id_: right[place] for id_, place in zip(wrong, np.argmax(queries @ keys.T, axis=1), strict=True)}


def _guarded(components: Components) -> Writer | None:
    """The writer, whose failure costs its wording and not the lesson: the evidence alone gives the text then."""
    writer = components.writer
    if writer is None:
        return None
    return lambda prompt: components.guarded("reflector", lambda: writer(prompt), "")


def _standing(lesson: Lesson, without: float) -> LessonStatus:
    """Active once its success rate is credibly above what the skill reaches anyhow, retired once credibly below."""
    if lesson.status is LessonStatus.RETIRED or lesson.helped + lesson.harmed == 0:
        return lesson.status
    _, low, high = posterior(lesson)
    if low > without:
        return LessonStatus.ACTIVE
    return LessonStatus.RETIRED if high < without else lesson.status
