"""What a skill's night has to go on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from nights import open_fake
from practising import Learned, fail

from lifelong.orchestrator.phases import NightContext, Work
from lifelong.orchestrator.phases.plan import SAMPLE_SECONDS, PlanNight, _sample_seconds, plan_of, sorted_tasks


def test_tasks_are_solved_failed_or_corrected_and_none_is_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        environment = Learned()
        fail(learner, environment, 40)
        night = NightContext(components=learner._components, environments=learner.environments, tenant="default")
        solved, failed, corrected = sorted_tasks(night, "database")
        assert (len(solved), corrected) == (0, 0)
        assert 0 < len(failed) < 40, "some are held out"
        learner.correct(failed[0], environment)
        again = sorted_tasks(night, "database")
        assert (len(again[1]), again[2]) == (len(failed) - 1, 1)


def test_the_budget_of_seconds_bounds_the_practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        fail(learner, Learned(), 20)
        components = learner._components
        night = NightContext(
            components=components, environments=learner.environments, tenant="default", deadline=time.monotonic() + 100 * SAMPLE_SECONDS
        )
        assert _sample_seconds(night) == SAMPLE_SECONDS
        work = PlanNight().run(night, Work(skill="database", adapter="lifelong-v0001"))
        assert 40 <= plan_of(work).exercises <= 50
        assert plan_of(Work()).exercises == 0
