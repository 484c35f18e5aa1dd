"""The refit of the skill head at the end of a night."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import corrected_chats, open_fake

from lifelong.orchestrator.perceiver import Perceiver
from lifelong.orchestrator.phases import NightContext, Work
from lifelong.orchestrator.phases.refit import RefitHead


def test_the_tenants_head_is_refitted_and_a_failure_leaves_the_closed_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refitted: list[Perceiver] = []
    with open_fake(tmp_path, monkeypatch) as learner:
        corrected_chats(learner, 6)
        night, work = NightContext(components=learner._components, environments={}, tenant="default"), Work()
        assert RefitHead().due(night, work)
        monkeypatch.setattr(Perceiver, "refit", lambda self: refitted.append(self))
        assert RefitHead().run(night, work) is work
        assert refitted == [learner._components.perceiver("default")]

        def failing(self: Perceiver) -> None:
            raise RuntimeError("did not converge")

        monkeypatch.setattr(Perceiver, "refit", failing)
        assert RefitHead().run(night, work) is work
        assert learner._components.faults == {"refit": 1}
