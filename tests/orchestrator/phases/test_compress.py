"""Compression is due beyond the budget, and keeps inside it afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scripted import open_scripted

from lifelong.checks.cue_memory import example_episode
from lifelong.orchestrator.phases import NightContext, Work
from lifelong.orchestrator.phases.compress import Compress


@pytest.mark.parametrize(("count", "due"), [(4, False), (5, True)])
def test_only_the_tenant_beyond_its_budget_loses_its_oldest(tmp_path: Path, count: int, due: bool) -> None:
    with open_scripted(tmp_path) as learner:
        components = learner._components
        object.__setattr__(components.settings.memory, "max_episodes", 4)
        vector = np.eye(1, components.encoder.dimensions, dtype=np.float32)[0]
        for number in range(count):
            for tenant in ("ann", "bob"):
                components.record.episodes.record(example_episode(number, tenant=tenant, skill=""), vector)
        night, work = NightContext(components=components, environments={}, tenant="ann"), Work()
        assert Compress().due(night, work) == due
        assert Compress().run(night, work) is work
        kept = [episode.id for episode in components.record.episodes.find(tenant="ann")]
        assert kept == [f"ann-{number}" for number in range(count - 4, count)]
        assert components.record.episodes.count(tenant="bob") == count
        assert not Compress().due(night, work)
