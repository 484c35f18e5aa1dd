"""Commands open the learner with every environment that can be made."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import Settings
from lifelong.interfaces.commands.learner import open_learner
from lifelong.orchestrator import LifelongLearner


def test_held_out_tasks_of_every_environment_can_be_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def opened(settings: Settings, environments: dict[str, object]) -> LifelongLearner:
        given.update(environments)
        return open_scripted(settings.home)

    monkeypatch.setattr(LifelongLearner, "open", opened)
    open_learner(Settings(home=tmp_path / "home"), None).close()
    assert {"database-v1", "graph-v1", "navigation-v1"} <= given.keys()
    assert not any(id.startswith("lab-") for id in given), "without a data directory there is nothing for them to read"
