"""What the navigator knows of itself: goals that it was never taught, scenes that are new to it, episodes that will fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ....core import Task
from ....envs import ObjectNavGridEnvironment
from ....envs.navigation.scenes import CATEGORIES, SCENE_SPLITS, make_world, read_map
from ....envs.navigation.streams import no_reset_tasks
from ....learners.navigation.early_stop import EarlyStop
from ....learners.navigation.goal_novelty import GoalNovelty
from ....learners.navigation.navigator import Navigator
from ....learners.navigation.scene_memory import SceneMemory
from ....learners.navigation.traces import EpisodeTrace
from ....metrics.detection import auroc
from ...data.seeded import Measurement, Measurements, Rate
from .stages import Taught

FIRST = 5
"""Steps of an episode after which a goal is looked at for the first time."""
GOOD_STOPPED = 0.05
"""Most successful episodes that may be stopped, as a share."""
OTHER_SEED = 1000
"""Added to a seed for scenes that no stage was taught or scored in."""


def goals(taught: Taught) -> Measurements:
    """How well goals never taught are told from taught ones after each stage, by all of an episode and by its first steps.

    Categories of later stages are unknown too. `policy_confidence` is the mean likelihood of the chosen action. The threshold is set on
    taught goals in validation scenes, after the last stage.
    """
    environment = ObjectNavGridEnvironment(CATEGORIES)
    tasks = environment.tasks("test", taught.scale.held_out, seed=taught.seed)
    whole, first = GoalNovelty(), GoalNovelty()
    found: dict[str, list[float]] = {"whole": [], "first": [], "policy": []}
    for navigator, trajectories in zip(taught.checkpoints[1:], taught.data.trajectories, strict=True):
        whole, first = whole.after(navigator, trajectories), first.after(navigator, trajectories, steps=FIRST)
        traces = navigator.trace(environment, tasks)
        known = np.array([one.result.measures.category in navigator.taught for one in traces])
        scores = {
            "whole": whole.novelty([one.aligned for one in traces]),
            "first": first.novelty([one.aligned[:FIRST] for one in traces]),
            "policy": -policy_confidence(navigator, traces),
        }
        for name, score in scores.items():
            found[name].append(auroc(-score[known], -score[~known]))
    validation = ObjectNavGridEnvironment(navigator.taught).tasks("validation", taught.scale.held_out, seed=taught.seed)
    calibrated = whole.calibrate(whole.novelty([one.aligned for one in navigator.trace(environment, validation)]))
    refused = calibrated.refuses(scores["whole"])
    figures: dict[tuple[str, str], Measurement] = {
        ("lifelong_cnav", f"unknown_goal_after_stage_{stage}_auroc"): value for stage, value in enumerate(found["whole"], 1)
    }
    return figures | {
        ("lifelong_cnav", "unknown_goal_auroc"): float(np.mean(found["whole"])),
        ("lifelong_cnav", f"unknown_goal_in_{FIRST}_steps_auroc"): float(np.mean(found["first"])),
        ("lifelong_cnav", "unknown_goals_refused_share"): Rate.of(refused[~known]),
        ("lifelong_cnav", "taught_goals_refused_share"): Rate.of(refused[known]),
        ("policy_confidence", "unknown_goal_auroc"): float(np.mean(found["policy"])),
    }


def policy_confidence(navigator: Navigator, traces: Sequence[EpisodeTrace]) -> NDArray[np.float64]:
    """The largest likelihood of an action, in the mean over an episode's steps, for each episode `(n,)`."""
    import torch

    with torch.no_grad():
        steps = [navigator.network["policy"](torch.from_numpy(one.temporal)).softmax(-1).amax(-1).mean() for one in traces]
    return np.array([float(one) for one in steps])


def scenes(taught: Taught) -> Measurements:
    """How well a scene that was visited before is told from a new one, seen from where the first visit ended.

    `seen_views` looks for views that were seen before.
    """
    environment = ObjectNavGridEnvironment()
    visits = [
        [one.views for one in taught.navigator.trace_without_reset(environment, tasks, carry_state=False)]
        for tasks in no_reset_tasks(environment, "test", scenes=taught.scale.scenes, goals=2, seed=taught.seed)
    ]
    # Every other scene is remembered; the second visits to those are to be known again.
    kept, others = visits[::2], visits[1::2]
    memory = SceneMemory()
    for first, _ in kept:
        memory = memory.after(first)
    seen = [frozenset(view.tobytes() for view in first) for first, _ in kept]

    def seen_views(views: NDArray[np.uint8]) -> float:
        here = {view.tobytes() for view in views}
        return 1.0 - max(len(here & one) / len(here) for one in seen)

    def separation(novelty: Callable[[NDArray[np.uint8]], float]) -> float:
        again = np.array([novelty(views) for _, views in kept])
        return auroc(-again, -np.array([novelty(views) for views, _ in others]))

    return {("lifelong", "new_scene_auroc"): separation(memory.novelty), ("seen_views", "new_scene_auroc"): separation(seen_views)}


def early_stop(taught: Taught) -> Measurements:
    """Which of the episodes that would fail are stopped, and which of those that would succeed.

    The chance of success is learned in training scenes, its threshold set in validation scenes at `GOOD_STOPPED` (both with further
    seeds), and everything is counted in test scenes. `number_of_steps` stops by that alone, its limit set in the same way. `absent` are
    episodes in test scenes without an object of the category: all of them fail.
    """
    environment, navigator, scale = ObjectNavGridEnvironment(taught.navigator.taught), taught.navigator, taught.scale
    seed = taught.seed + OTHER_SEED
    watched = navigator.trace(environment, environment.tasks("train", scale.watched, seed=seed))
    validation = navigator.trace(environment, environment.tasks("validation", scale.held_out, seed=seed))
    tested = navigator.trace(environment, [task for block in taught.data.tasks for task in block])
    absent = navigator.trace(environment, absent_tasks(environment, scale.tested))
    figures: dict[tuple[str, str], Measurement] = {}
    steps = sorted((one.result.steps for one in validation if one.result.success), reverse=True)
    rank = int(GOOD_STOPPED * (len(steps) + 1))
    limit = steps[rank - 1] if rank else None
    by_steps = [limit if limit is not None and one.result.steps > limit else None for one in (*tested, *absent)]
    figures |= _stopped("number_of_steps", tested, absent, by_steps)
    try:
        head = EarlyStop(watched).calibrate(validation, good_stopped=GOOD_STOPPED)
    except ValueError:
        # Too few episodes for one of either end, as in a quick run.
        return figures | dict.fromkeys(_stopped("lifelong", tested, absent, by_steps), np.nan)
    return figures | _stopped("lifelong", tested, absent, [head.stopped_before(one) for one in (*tested, *absent)])


def _stopped(
    method: str, tested: Sequence[EpisodeTrace], absent: Sequence[EpisodeTrace], stopped: Sequence[int | None]
) -> dict[tuple[str, str], Measurement]:
    ends = list(zip(tested, stopped[: len(tested)], strict=True))
    doomed = [(one, place) for one, place in ends if not one.result.success]
    good = [(one, place) for one, place in ends if one.result.success]
    missing = stopped[len(tested) :]
    saved = sum(one.result.steps - place for one, place in doomed if place is not None)
    return {
        (method, "doomed_stopped_share"): _share([place for _, place in doomed]),
        (method, "good_stopped_share"): _share([place for _, place in good]),
        (method, "absent_goal_stopped_share"): _share(missing),
        (method, "doomed_steps_saved_share"): saved / max(1, sum(one.result.steps for one, _ in doomed)),
    }


def _share(stopped: Sequence[int | None]) -> Measurement:
    return Rate.of(np.array([place is not None for place in stopped])) if stopped else np.nan


def absent_tasks(environment: ObjectNavGridEnvironment, count: int) -> list[Task]:
    """Tasks in test scenes that hold no object of the category; categories in turn."""
    found = []
    for number in range(count):
        scene = number * len(SCENE_SPLITS) + SCENE_SPLITS.index("test")
        present = set(read_map(make_world(scene)).objects.values())
        missing = [name for name in environment.categories if name not in present]
        found.append(environment.task(missing[number % len(missing)], scene))
    return found
