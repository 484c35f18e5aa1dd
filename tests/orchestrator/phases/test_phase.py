"""What phases hand on, and when a night has to stop."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.orchestrator import PHASES
from lifelong.orchestrator.phases import NightContext, NightStopped, Scope, Work
from lifelong.orchestrator.run_state import NightState


def test_work_that_ended_says_why_and_keeps_what_was_known() -> None:
    work = Work(skill="chat", adapter="v1", lessons=2)
    assert not work.ended
    over = work.end(NightState.REJECTED, "no gain")
    assert (over.ended, over.state, over.reason, over.lessons) == (True, NightState.REJECTED, "no gain", 2)
    assert not work.ended


def test_a_night_stops_when_it_is_told_to_and_when_its_time_is_over(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        stopping = [False, True]
        night = NightContext(components=learner._components, environments={}, tenant="default", stopping=lambda: stopping.pop(0))
        night.check()
        with pytest.raises(NightStopped):
            night.check()
        assert not night.out_of_time
        late = NightContext(components=learner._components, environments={}, tenant="default", deadline=time.monotonic() - 1)
        assert late.out_of_time


def test_phases_of_a_skill_stand_together_between_those_of_the_tenant() -> None:
    scopes = [phase.scope for phase in PHASES]
    first, last = scopes.index(Scope.SKILL), len(scopes) - scopes[::-1].index(Scope.SKILL)
    assert set(scopes[first:last]) == {Scope.SKILL}
    assert set(scopes[:first]) == set(scopes[last:]) == {Scope.TENANT}
    assert len({phase.name for phase in PHASES}) == len(PHASES)
