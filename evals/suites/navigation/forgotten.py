"""A category that is to be forgotten: what is left of it, what the others lose, and how soon it is learned again."""

from __future__ import annotations

import time

from ....envs import ObjectNavGridEnvironment
from ....envs.navigation.scenes import STAGES
from ....learners.navigation.forgetting import rebuild_without
from ...data.seeded import Measurement, Measurements
from .stages import Taught, success_rate


def category(taught: Taught) -> Measurements:
    """Success on the forgotten category and on the others, as it was, after both ways of forgetting, and when it was learned again.

    `lifelong_rebuilt` goes back to the checkpoint before the category's stage and learns the stages since then without it: bit by bit a
    navigator that was never taught it. `lifelong_reset` takes no training and is approximate. The category is the first one of the last
    stage but one under seed 0, and another one under every other.
    """
    scale, data = taught.scale, taught.data
    stage = STAGES[max(0, scale.stages - 2)]
    name = stage[taught.seed % len(stage)]
    environment = ObjectNavGridEnvironment((name,))
    of_it = environment.tasks("test", scale.tested, seed=taught.seed)
    others = [task for block in data.tasks for task in block if f"-{name.replace(' ', '-')}-" not in task.id]
    episodes = [one for block in data.trajectories for one in block if one.category == name]

    started = time.process_time()
    reset = taught.navigator.forget(name)
    seconds = {"lifelong_reset": time.process_time() - started}
    started = time.process_time()
    rebuilt = rebuild_without(taught.checkpoints, data.trajectories, name)[-1]
    seconds["lifelong_rebuilt"] = time.process_time() - started

    figures: dict[tuple[str, str], Measurement] = {}
    for method, navigator in (("before", taught.navigator), ("lifelong_reset", reset), ("lifelong_rebuilt", rebuilt)):
        figures[method, "forgotten_category_success"] = success_rate(navigator.act(environment, of_it))
        figures[method, "other_categories_success"] = success_rate(navigator.act(environment, others))
    for method, navigator in (("lifelong_reset", reset), ("lifelong_rebuilt", rebuilt)):
        started = time.process_time()
        again = navigator.learn(episodes)
        relearning = time.process_time() - started
        figures[method, "forgetting_seconds"] = seconds[method]
        figures[method, "relearning_seconds"] = relearning
        figures[method, "relearned_success"] = success_rate(again.act(environment, of_it))
    return figures
