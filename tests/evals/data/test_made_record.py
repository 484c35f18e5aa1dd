"""A made record has as many episodes of every skill and tenant, the same ones each time."""

from __future__ import annotations

from pathlib import Path

from lifelong.evals.data.made_record import SKILLS, TENANTS, fill_record, made_episode
from lifelong.memory import Record


def test_episodes_are_shared_out_evenly(tmp_path: Path) -> None:
    fill_record(tmp_path / "home", episodes=80, tenants=5)
    with Record(tmp_path / "home" / "record.sqlite3") as record:
        for tenant in range(5):
            assert record.episodes.skills(tenant=TENANTS.format(tenant)) == dict.fromkeys(SKILLS, 4)


def test_a_run_follows_from_its_number() -> None:
    assert made_episode(17, 5) == made_episode(17, 5)
    assert made_episode(17, 5).task.tenant == TENANTS.format(2)
    assert made_episode(17, 5).task.goal != made_episode(22, 5).task.goal
