"""Goals, scenes and failures on a small navigator; what is counted, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.objectnav_grid import NavigationMeasures
from lifelong.envs.navigation.scenes import make_world, read_map, scene_split
from lifelong.evals.data.seeded import Rate, mean_of
from lifelong.evals.suites.navigation import awareness
from lifelong.evals.suites.navigation.stages import QUICK, Taught, stage_data, taught
from lifelong.learners.navigation.traces import EpisodeTrace, NavigationResult


@pytest.fixture(scope="module")
def small() -> Taught:
    return taught("lifelong_cnav", QUICK, stage_data(QUICK, "test", 0), 0)[0]


def trace(steps: int, *, success: bool) -> EpisodeTrace:
    measures = NavigationMeasures(category="red ball", shortest=3, taken=4, distance=0)
    empty = np.zeros((steps, 0), dtype=np.float32)
    views = np.zeros((steps, 7, 7, 3), dtype=np.uint8)
    return EpisodeTrace(
        result=NavigationResult(success=success, measures=measures, steps=steps), views=views, aligned=empty, temporal=empty
    )


def test_stops_are_counted_by_how_episodes_end() -> None:
    tested = [trace(10, success=False), trace(20, success=False), trace(5, success=True), trace(5, success=True)]
    figures = awareness._stopped("lifelong", tested, [trace(7, success=False)], [4, None, 2, None, 0])
    assert figures["lifelong", "doomed_stopped_share"] == Rate(hits=1, trials=2)
    assert figures["lifelong", "good_stopped_share"] == Rate(hits=1, trials=2)
    assert figures["lifelong", "absent_goal_stopped_share"] == Rate(hits=1, trials=1)
    assert figures["lifelong", "doomed_steps_saved_share"] == pytest.approx(6 / 30)


def test_an_absent_goal_is_absent_from_a_test_scene() -> None:
    for task in awareness.absent_tasks(ObjectNavGridEnvironment(), 5):
        scene = int(task.id.rsplit("-", 1)[1])
        assert scene_split(scene) == "test"
        assert task.goal.removeprefix("Mission: find the ").rstrip(".") not in read_map(make_world(scene)).objects.values()


def test_goals_never_taught_are_told_from_taught_ones(small: Taught) -> None:
    figures = awareness.goals(small)
    assert mean_of(figures["lifelong_cnav", "unknown_goal_auroc"]) > 0.8
    assert {metric for method, metric in figures if method == "policy_confidence"} == {"unknown_goal_auroc"}
    known, unknown = (figures["lifelong_cnav", f"{name}_goals_refused_share"] for name in ("taught", "unknown"))
    assert isinstance(known, Rate)
    assert isinstance(unknown, Rate)
    assert known.trials + unknown.trials == QUICK.held_out


def test_scenes_that_were_visited_are_known_again(small: Taught) -> None:
    figures = awareness.scenes(small)
    assert set(figures) == {("lifelong", "new_scene_auroc"), ("seen_views", "new_scene_auroc")}
    assert all(0 <= mean_of(one) <= 1 for one in figures.values())


def test_every_episode_has_its_end(small: Taught) -> None:
    figures = awareness.early_stop(small)
    counts = [figures["number_of_steps", f"{name}_stopped_share"] for name in ("doomed", "good")]
    assert sum(one.trials for one in counts if isinstance(one, Rate)) == QUICK.stages * QUICK.tested
