"""Other orders of goals: categories that come back, and episodes that go on where the last one ended."""

from __future__ import annotations

import numpy as np

from ....envs import ObjectNavGridEnvironment
from ....envs.navigation.streams import no_reset_tasks, stage_environments
from ....learners.navigation.navigator import Navigator
from ....learners.navigation.trajectories import record
from ...data.seeded import Measurement, Measurements
from .stages import Taught, success_rate

ROUNDS = 2
"""How often every stage is taught."""
METHODS = ("lifelong_cnav", "cnav_without_replay", "fine_tuning")


def recurring(taught: Taught) -> Measurements:
    """All stages twice, with half of the episodes each time, in scenes that were not used before.

    `before_return` and `after_return` are success on a stage's categories just before and just after it is taught again, in the mean over
    all stages; `gap` is what was lost meanwhile against just after the first time.
    """
    scale, seed = taught.scale, taught.seed
    environments = list(stage_environments().values())[: scale.stages]
    count = scale.episodes // ROUNDS
    # Taken at once, so that the second round has scenes of its own.
    drawn = [one.tasks("train", ROUNDS * count, seed=seed) for one in environments]
    episodes = [
        [record(one, tasks[turn * count :][:count]) for one, tasks in zip(environments, drawn, strict=True)] for turn in range(ROUNDS)
    ]
    figures: dict[tuple[str, str], Measurement] = {}
    for method in METHODS:
        navigator = Navigator(method=method, seed=seed, settings=scale.settings)
        first, before, after = list[float](), list[float](), list[float]()
        for turn, stages in enumerate(episodes):
            for stage, trajectories in enumerate(stages):
                if turn:
                    before.append(_success(navigator, taught, stage))
                navigator = navigator.learn(trajectories)
                (after if turn else first).append(_success(navigator, taught, stage))
        last = [one for tasks in taught.data.tasks for one in navigator.act(ObjectNavGridEnvironment(), tasks)]
        figures[method, "first_time_success"] = float(np.mean(first))
        figures[method, "before_return_success"] = float(np.mean(before))
        figures[method, "after_return_success"] = float(np.mean(after))
        figures[method, "last_success"] = success_rate(last)
    return figures


def _success(navigator: Navigator, taught: Taught, stage: int) -> float:
    return float(np.mean([one.success for one in navigator.act(ObjectNavGridEnvironment(), taught.data.tasks[stage])]))


def no_reset(taught: Taught) -> Measurements:
    """Several goals in one scene, one after another from where the last search ended: success and moves on the first and on later goals.

    `lifelong_cnav` carries the decoder's state from goal to goal, `fresh_state` begins anew with each.
    """
    environment, navigator = ObjectNavGridEnvironment(), taught.navigator
    scenes = no_reset_tasks(environment, "test", scenes=taught.scale.scenes, goals=taught.scale.goals, seed=taught.seed)
    figures: dict[tuple[str, str], Measurement] = {}
    for method, carried in (("lifelong_cnav", True), ("fresh_state", False)):
        results = [navigator.act_without_reset(environment, tasks, carry_state=carried) for tasks in scenes]
        later = [one for scene in results for one in scene[1:]]
        figures[method, "first_goal_success"] = success_rate([scene[0] for scene in results])
        figures[method, "later_goals_success"] = success_rate(later)
        figures[method, "later_goals_actions"] = float(np.mean([one.steps for one in later]))
    return figures
