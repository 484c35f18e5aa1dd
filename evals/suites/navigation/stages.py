"""C-NAV's protocol: goal categories taught stage by stage, and how a navigator fares on all of them after each stage."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ....core import Task
from ....envs import ObjectNavGridEnvironment
from ....envs.navigation.scenes import STAGES, SceneSplit
from ....envs.navigation.streams import stage_environments
from ....learners.navigation.modalities import GRID, MODALITIES
from ....learners.navigation.navigator import Navigator, NavigatorSettings
from ....learners.navigation.traces import NavigationResult
from ....learners.navigation.trajectories import Trajectory, record
from ....metrics.navigation import success_weighted_path_length
from ...data.seeded import Measurement, Rate

RANDOM_WALK = "random_walk"
STOP_CHANCE = 0.05
"""Of the random walk, at every step."""


@dataclass(frozen=True, kw_only=True)
class NavigationScale:
    """How much is taught and tested."""

    stages: int
    """Of four categories each."""
    episodes: int
    """The expert's, of each stage."""
    tested: int
    """Episodes of each stage's categories, in scenes that nothing was learned from or chosen on."""
    settings: NavigatorSettings
    """How a stage is learned, by every method."""
    watched: int
    """Episodes in further training scenes that the chance of success is learned from."""
    held_out: int
    """Episodes in validation scenes that thresholds are set on."""
    scenes: int
    """Test scenes with several goals in each."""
    goals: int
    """Goals one after another in such a scene."""
    world: str = GRID
    """Name of the environment."""

    @property
    def environment(self) -> type[ObjectNavGridEnvironment]:
        """What the episodes are of."""
        return MODALITIES[self.world].environment


FULL = NavigationScale(
    stages=len(STAGES),
    episodes=320,
    tested=100,
    settings=NavigatorSettings(epochs=10, batch=8),
    watched=800,
    held_out=400,
    scenes=60,
    goals=4,
)
QUICK = NavigationScale(
    stages=2, episodes=12, tested=6, settings=NavigatorSettings(epochs=2, batch=6), watched=20, held_out=20, scenes=4, goals=2
)
ROOMS = replace(
    FULL, stages=2, episodes=160, tested=20, settings=NavigatorSettings(epochs=20, batch=8, learning_rate=4e-3), world="objectnav-3d"
)
"""In three dimensions: what one core does in some minutes, all methods together."""
QUICK_ROOMS = replace(QUICK, episodes=4, tested=2, world="objectnav-3d")


@dataclass(frozen=True, kw_only=True)
class StageData:
    """What one seed's stages are taught and scored with."""

    trajectories: tuple[Sequence[Trajectory], ...]
    """The expert's episodes, by stage."""
    tasks: tuple[Sequence[Task], ...]
    """Episodes to be scored on, by stage."""


@dataclass(frozen=True, kw_only=True)
class StagesResult:
    """How one navigator fared under one seed."""

    results: tuple[tuple[Sequence[NavigationResult], ...], ...]
    """After each stage, for each stage so far: its episodes."""
    kept_bytes: int
    """What the method keeps at the end, beside the network."""
    learning_seconds: float
    """Processor time of learning all stages."""
    acting_milliseconds: float
    """Processor time of one step of one episode, environment included."""


def stage_data(scale: NavigationScale, split: SceneSplit, seed: int) -> StageData:
    """The expert's episodes in training scenes, and tasks in scenes of a split."""
    environments = list(stage_environments(environment=scale.environment).values())[: scale.stages]
    return StageData(
        trajectories=tuple(record(one, one.tasks("train", scale.episodes, seed=seed)) for one in environments),
        tasks=tuple(one.tasks(split, scale.tested, seed=seed) for one in environments),
    )


@dataclass(frozen=True, kw_only=True)
class Taught:
    """A navigator that has learned all stages of one seed."""

    scale: NavigationScale
    """How much was taught."""
    seed: int
    """Of scenes, weights and orders."""
    data: StageData
    """What it was taught and is scored with."""
    checkpoints: tuple[Navigator, ...]
    """Before the first stage, and after each."""

    @property
    def navigator(self) -> Navigator:
        """After the last stage."""
        return self.checkpoints[-1]


def taught(method: str, scale: NavigationScale, data: StageData, seed: int) -> tuple[Taught, StagesResult]:
    """A navigator that is taught stage after stage, and scored after each on the categories of all stages so far."""
    navigator = Navigator(method=method, seed=seed, settings=scale.settings, world=scale.world)
    environment = scale.environment()
    checkpoints = [navigator]
    results, learning, acting, steps = list[tuple[Sequence[NavigationResult], ...]](), 0.0, 0.0, 0
    for stage, trajectories in enumerate(data.trajectories, 1):
        started = time.process_time()
        navigator = navigator.learn(trajectories)
        checkpoints.append(navigator)
        learning += time.process_time() - started
        started = time.process_time()
        results.append(tuple(navigator.act(environment, tasks) for tasks in data.tasks[:stage]))
        acting += time.process_time() - started
        steps += sum(one.steps for block in results[-1] for one in block)
    result = StagesResult(
        results=tuple(results), kept_bytes=navigator.nbytes, learning_seconds=learning, acting_milliseconds=1000 * acting / steps
    )
    return Taught(scale=scale, seed=seed, data=data, checkpoints=tuple(checkpoints)), result


def walked(data: StageData, seed: int, environment: ObjectNavGridEnvironment) -> StagesResult:
    """Random admissible actions; the control."""
    started = time.process_time()
    blocks = tuple(random_walk(tasks, seed, environment) for tasks in data.tasks)
    seconds = time.process_time() - started
    steps = sum(one.steps for block in blocks for one in block)
    results = tuple(blocks[:stage] for stage in range(1, len(blocks) + 1))
    return StagesResult(results=results, kept_bytes=0, learning_seconds=0.0, acting_milliseconds=1000 * seconds / steps)


def random_walk(tasks: Sequence[Task], seed: int, environment: ObjectNavGridEnvironment) -> list[NavigationResult]:
    """Episodes of an agent that takes any admissible action, and stops with `STOP_CHANCE`."""
    rng = random.Random(seed)
    results = []
    for task in tasks:
        _, info = environment.reset(options={"task": task})
        steps, ended = 0, False
        while not ended:
            moves = [action for action in environment.admissible() if action != "stop"]
            action = "stop" if rng.random() < STOP_CHANCE else rng.choice(moves)
            _, _, terminated, truncated, info = environment.step(action)
            steps, ended = steps + 1, terminated or truncated
        results.append(NavigationResult(success=info["success"], measures=info["navigation"], steps=steps))
    return results


def figures_of(result: StagesResult) -> dict[str, Measurement]:
    """Success and SPL after each stage on all categories so far, their mean over stages, what is forgotten, and the cost.

    `forgetting` is the mean, over all stages but the last, of the best success on its categories after any stage less that at the
    end (Chaudhry et al. 2018, "Riemannian Walk", https://arxiv.org/abs/1801.10112, section 3.2); it is not negative.
    """
    blocks = [[one for block in after for one in block] for after in result.results]
    figures: dict[str, Measurement] = {}
    for stage, episodes in enumerate(blocks, 1):
        figures[f"success_after_stage_{stage}"] = success_rate(episodes)
        figures[f"spl_after_stage_{stage}"] = _spl(episodes)
    matrix = [[float(np.mean([one.success for one in block])) for block in after] for after in result.results]
    earlier = range(len(matrix) - 1)
    figures |= {
        "average_success": float(np.mean([np.mean([one.success for one in episodes]) for episodes in blocks])),
        "average_spl": float(np.mean([_spl(episodes) for episodes in blocks])),
        "last_success": success_rate(blocks[-1]),
        "forgetting": float(np.mean([max(row[stage] for row in matrix[stage:]) - matrix[-1][stage] for stage in earlier])),
        "kept_bytes": float(result.kept_bytes),
        "learning_seconds": result.learning_seconds,
        "acting_milliseconds_a_step": result.acting_milliseconds,
    }
    return figures


def success_rate(episodes: Sequence[NavigationResult]) -> Rate:
    """How many of some episodes succeeded; there must be one at least."""
    return Rate(hits=sum(one.success for one in episodes), trials=len(episodes))


def _spl(episodes: Sequence[NavigationResult]) -> float:
    """Tasks are drawn so that a path leads to the goal, so `shortest` is a number."""
    shortest = [one.measures.shortest or 0 for one in episodes]
    return success_weighted_path_length([one.success for one in episodes], shortest, [one.measures.taken for one in episodes])
