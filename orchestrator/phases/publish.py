"""Publish: the gate's decision becomes true in routes, engine and lessons."""

from __future__ import annotations

from ...core import AdapterStatus, LessonStatus
from ..effects import restore
from ..run_state import NightState
from .phase import NightContext, Scope, Work


class Publish:
    """Route what the gate accepted, mark what it rejected. A second run changes nothing."""

    name = "publish"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended and work.gate is not None and work.candidate is not None

    def run(self, night: NightContext, work: Work) -> Work:
        assert work.candidate is not None, "a phase runs only where it is due"
        assert work.gate is not None, "a phase runs only where it is due"
        components, store = night.components, night.components.record.adapters
        adapter, gate = work.candidate, work.gate
        if not gate.accepted:
            store.record(adapter.with_status(AdapterStatus.REJECTED))
            components.retire(adapter.name)
            return work.end(NightState.REJECTED, gate.reason)
        served = {row.skill for row in gate.skills if row.serves} | {adapter.target}
        if not components.settings.sleep.per_skill_routing:
            served |= set(components.skills(adapter.tenant))
        before = set(store.routes(adapter.tenant).values())
        store.publish(adapter, sorted(served))
        for name in before - set(store.routes(adapter.tenant).values()):
            components.retire(name)
        for skill in served:
            restore(components.record, adapter.tenant, skill)
        carried = components.record.lessons.find(tenant=adapter.tenant, skill=adapter.target)
        probation = [lesson.id for lesson in carried if lesson.status is LessonStatus.PROBATION]
        components.record.lessons.set_status(probation, LessonStatus.RETIRED)
        return work.end(NightState.PUBLISHED, gate.reason)
