"""Figures of stages, by hand; the control; and that nothing is scored in scenes that were learned from."""

from __future__ import annotations

import pytest

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.objectnav_grid import NavigationMeasures
from lifelong.evals.data.seeded import Rate
from lifelong.evals.suites.navigation.stages import QUICK, StagesResult, figures_of, random_walk, stage_data
from lifelong.learners.navigation.traces import NavigationResult


def block(*successes: bool) -> list[NavigationResult]:
    """Episodes of four moves where three would do."""
    measures = NavigationMeasures(category="red ball", shortest=3, taken=4, distance=0)
    return [NavigationResult(success=one, measures=measures, steps=6) for one in successes]


def test_figures_by_hand() -> None:
    # Success on stage 1: 3/4, then 1/4; on stage 2: 1/2.
    first, then, second = block(True, True, True, False), block(True, False, False, False), block(True, True, False, False)
    figures = figures_of(StagesResult(results=((first,), (then, second)), kept_bytes=7, learning_seconds=2.0, acting_milliseconds=0.5))
    assert figures["success_after_stage_1"] == Rate(hits=3, trials=4)
    assert figures["success_after_stage_2"] == figures["last_success"] == Rate(hits=3, trials=8)
    assert figures["spl_after_stage_1"] == pytest.approx(0.75 * 0.75)
    assert figures["average_success"] == pytest.approx((3 / 4 + 3 / 8) / 2)
    assert figures["average_spl"] == pytest.approx(0.75 * (3 / 4 + 3 / 8) / 2)
    assert figures["forgetting"] == pytest.approx(1 / 2)
    assert (figures["kept_bytes"], figures["learning_seconds"], figures["acting_milliseconds_a_step"]) == (7, 2.0, 0.5)


def test_scenes_of_tests_are_no_scenes_of_training() -> None:
    data = stage_data(QUICK, "test", 0)
    assert [len(block) for block in data.tasks] == [QUICK.tested] * QUICK.stages
    assert all("-test-" in task.id for block in data.tasks for task in block)
    other = stage_data(QUICK, "validation", 0)
    assert {task.context for block in data.tasks for task in block}.isdisjoint(task.context for block in other.tasks for task in block)


def test_the_random_walk_repeats_and_rarely_succeeds() -> None:
    tasks = stage_data(QUICK, "validation", 0).tasks[0]
    results = random_walk(tasks, 3, ObjectNavGridEnvironment())
    assert results == random_walk(tasks, 3, ObjectNavGridEnvironment())
    assert sum(one.success for one in results) < len(tasks)
    assert all(1 <= one.steps <= 40 for one in results)
