"""The example episodes that checks and tests record."""

from __future__ import annotations

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Judge


def test_numbers_and_tenants_make_different_episodes() -> None:
    made = [example_episode(number, tenant=tenant) for number in range(3) for tenant in ("a", "b")]
    assert len({episode.id for episode in made}) == 6
    assert len({episode.task.goal for episode in made}) == 3
    assert [episode.created for episode in made[::2]] == [0.0, 1.0, 2.0]


def test_it_is_judged_by_its_environment_as_asked() -> None:
    good, bad = example_episode(1), example_episode(1, success=False)
    assert (good.outcome.success, bad.outcome.success) == (True, False)
    assert {good.outcome.judge, bad.outcome.judge} == {Judge.ENVIRONMENT}
    assert good == example_episode(1)
