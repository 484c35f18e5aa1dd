"""Orders in which goals are met: stage by stage, categories that come back, and episodes without a reset between them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from ...core import Task
from ..environment import Split
from ..stream import Block
from .objectnav_grid import MAX_DRAWS, ObjectNavGridEnvironment
from .paths import GoalAbsent, goal_distances
from .scenes import MAX_SCENE, SCENE_SPLITS, STAGES, SceneSplit, make_world, read_map, read_pose


def stage_environments(
    stages: Sequence[Sequence[str]] | None = None, *, environment: type[ObjectNavGridEnvironment] = ObjectNavGridEnvironment
) -> dict[str, ObjectNavGridEnvironment]:
    """One environment a stage, `stage-1` and so on, whose tasks look for the categories of that stage alone.

    The stages are the environment's own unless others are given.
    """
    return {f"stage-{number}": environment(categories) for number, categories in enumerate(stages or environment.stages, 1)}


def stage_blocks(count: int, *, split: Split = "train", stages: Sequence[Sequence[str]] = STAGES, rounds: int = 1) -> list[Block]:
    """Blocks of a `Stream` over `stage_environments`: each stage with `count` tasks, all stages again in every further round.

    A category that comes back is looked for in scenes that were not used before.
    """
    names = list(stage_environments(stages))
    return [Block(environment=name, count=count, split=split, start=count * turn) for turn in range(rounds) for name in names]


def no_reset_tasks(
    environment: ObjectNavGridEnvironment, split: SceneSplit, *, scenes: int, goals: int, seed: int = 0
) -> list[tuple[Task, ...]]:
    """For each of some scenes, goals to be found one after another; all of a scene are one session.

    The first is begun with `reset(options={"task": task})`, the others with `{"task": task, "keep_position": True}`: the agent stays where
    it is and doors stay open. Two goals that follow each other differ. Raises `GoalAbsent` where no scene holds two categories.
    """
    found: list[tuple[Task, ...]] = []
    drawn: set[int] = set()
    for attempt in range(scenes * MAX_DRAWS):
        if len(found) == scenes:
            return found
        rng = random.Random(f"{environment.name}/no-reset/{split}/{seed}/{attempt}")
        scene = rng.randrange(MAX_SCENE // len(SCENE_SPLITS)) * len(SCENE_SPLITS) + SCENE_SPLITS.index(split)
        present = _reachable(scene, environment.categories)
        if len(present) < 2 or scene in drawn:
            continue
        drawn.add(scene)
        order: list[str] = []
        while len(order) < goals:
            order.append(rng.choice([name for name in present if [name] != order[-1:]]))
        tasks = [environment.task(category, scene) for category in order]
        found.append(tuple(replace(task, session=f"{environment.name}-{scene}") for task in tasks))
    if len(found) == scenes:
        return found
    raise GoalAbsent(f"only {len(found)} of {scenes} scenes held two of the categories {', '.join(environment.categories)}")


def _reachable(scene: int, categories: Sequence[str]) -> list[str]:
    """Categories in a scene that a path leads to, in their order."""
    world = make_world(scene)
    grid_map, cell = read_map(world), read_pose(world).cell
    present = [name for name in categories if name in grid_map.objects.values()]
    return [name for name in present if cell in goal_distances(grid_map, name)]
