"""Discovery as a phase: only in a night over every skill, and a failure costs nothing but itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.orchestrator.phases import NightContext, Work
from lifelong.orchestrator.phases import discover as module
from lifelong.orchestrator.phases.discover import Discover


def test_a_night_over_named_skills_does_not_look(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        for every in (True, False):
            night = NightContext(components=learner._components, environments={}, tenant="default", every_skill=every)
            assert Discover().due(night, Work()) == every


def test_it_looks_among_the_tenants_tasks_and_a_failure_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def failing(components: object, tenant: str) -> list[str]:
        looked.append(tenant)
        raise RuntimeError("no clusters")

    monkeypatch.setattr(module, "discover", failing)
    with open_scripted(tmp_path) as learner:
        night, work = NightContext(components=learner._components, environments={}, tenant="ann"), Work()
        assert Discover().run(night, work) is work
        assert looked == ["ann"]
        assert learner._components.faults == {"discovery": 1}
