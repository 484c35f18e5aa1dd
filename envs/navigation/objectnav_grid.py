"""Object navigation in several rooms: find an object of a category, go up to it, and say so.

The task is ObjectNav (Batra et al. 2020, "ObjectNav Revisited", https://arxiv.org/abs/2006.13171) on a grid: an episode succeeds where the
agent stops within `SUCCESS_RADIUS` moves of an object of the category. Categories are taught stage by stage, as in C-NAV
(https://arxiv.org/abs/2510.20685).
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count as numbers
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...core import MalformedTask, Task
from ...core.errors import LifelongError
from .._episodes import TextEnvironment
from .._reply import ActionResult
from ..caller import Caller
from ..environment import Demonstration
from ..payloads import Array, ArrayPayloads, ArrayReference
from .captions import view
from .paths import Cell, GoalAbsent, GoalUnreachable, GridMap, Pose, goal_distances, shortest_plan
from .scenes import CATEGORIES, MAX_SCENE, SCENE_SPLITS, STAGES, SceneSplit, cells_in_view, make_world, read_map, read_pose, scene_split
from .searching import searching_action

if TYPE_CHECKING:
    from minigrid.minigrid_env import MiniGridEnv

Expert = Callable[[GridMap, Pose, str], Sequence[str]]
"""What finds the way: the map, the agent's pose and the category; returns actions, the last one `stop`."""

SUCCESS_RADIUS = 1
"""Moves between agent and object at which to stop is a success: beside it."""
MAX_STEPS = 40
EXPERT_STEPS = 20
"""Actions that the expert needs at most in a task: half of what an agent may take."""
START_DISTANCE = 3
"""Moves between the start and the nearest object of the category, at least."""
EXPERT_SECONDS = 5.0
"""Seconds that an expert may take for a plan."""
MAX_DRAWS = 2_000
"""Scenes drawn for one task; a few dozen do."""

_ACTIONS = {"left": 0, "right": 1, "forward": 2, "open": 5}
"""Numbers of MiniGrid's actions."""


class ExpertFailed(LifelongError, RuntimeError):
    """The expert gave no plan in time, or one that does not lead to the goal."""


@dataclass(frozen=True, kw_only=True)
class NavigationMeasures:
    """Where an episode stands: what SPL and soft SPL are computed from, in moves from cell to cell."""

    category: str
    """What is looked for."""
    shortest: int | None
    """The shortest path from the start to success; None where there is none."""
    taken: int
    """Moves made so far."""
    distance: int | None
    """Moves from here to success; 0 within the radius, None where no path leads there."""


class ObjectNavGridEnvironment(TextEnvironment):
    """Four rooms of 3x3 cells with doors and six objects, 7x7 cells in view; turn, go, open doors, and stop beside the goal.

    The observation is text; `info["view"]` names MiniGrid's picture of it (7x7x3 whole numbers: kind, colour, state of each visible
    cell), which `payload` returns, and `info["navigation"]` holds `NavigationMeasures`. With `options["keep_position"]` an episode
    begins where the last one in the same scene ended, doors and all (the protocol without resets).
    """

    known: tuple[str, ...] = CATEGORIES
    """Every category of its scenes."""
    stages: tuple[tuple[str, ...], ...] = STAGES
    """Categories in the order in which they are taught."""

    id = "objectnav-grid-v1"
    max_steps = MAX_STEPS
    max_answer_tokens = 8
    instructions = "Find the object, go up to it and stop beside it. Answer with one action: left, right, forward, open or stop."

    def __init__(
        self, categories: Sequence[str] | None = None, *, expert: Expert = shortest_plan, expert_seconds: float = EXPERT_SECONDS
    ) -> None:
        super().__init__()
        self.categories = tuple(categories) if categories is not None else tuple(name for stage in self.stages for name in stage)
        unknown = [name for name in self.categories if name not in self.known]
        if unknown or not self.categories:
            raise ValueError(f"categories must be some of {', '.join(self.known)}; got {', '.join(unknown) or 'none'}")
        self._expert, self._expert_seconds = expert, expert_seconds
        self._payloads = ArrayPayloads()
        self._world: Any = None
        self._scene = -1
        self._keep_position = False

    def spawn(self) -> Self:
        return type(self)(self.categories, expert=self._expert, expert_seconds=self._expert_seconds)

    def tasks(self, split: SceneSplit, count: int, *, seed: int = 0) -> Sequence[Task]:
        """See `Environment.tasks`; `validation` is a third split."""
        found: dict[str, Task] = {}
        for index in numbers():
            if len(found) >= count:
                break
            task = self._draw(split, seed, index)
            found.setdefault(task.text, task)
        return list(found.values())

    def task(self, category: str, scene: int) -> Task:
        """The task of finding a category in a scene, also where it is absent: such an episode cannot succeed.

        Raises `ValueError` for what is no category or no number of a scene.
        """
        if category not in self.known or not 0 <= scene < MAX_SCENE:
            raise ValueError(f"category must be one of CATEGORIES and scene from 0 to {MAX_SCENE - 1}; got {category!r}, {scene}")
        return self._task(category, scene, self._make_world(scene))

    def demonstrate(self, task: Task) -> Demonstration:
        """See `Environment.demonstrate`.

        Raises `GoalAbsent` or `GoalUnreachable` where nobody could succeed, `ExpertFailed` where the expert takes too long or errs.
        """
        category, scene = self._read(task)
        actions = self._plan(self._make_world(scene), category)
        episode = self.spawn()
        observation, _ = episode.reset(options={"task": task})
        observations = [observation]
        for number, action in enumerate(actions, 1):
            observation, _, ended, cut, info = episode.step(action)
            if ended and info["success"] and number == len(actions):
                return Demonstration(observations=tuple(observations), actions=actions)
            if ended or cut or info["error"]:
                break
            observations.append(observation)
        raise ExpertFailed(f"the expert's plan for task {task.id!r} does not end beside the goal: {', '.join(actions)}")

    def plan(self) -> tuple[str, ...]:
        """The expert's actions from where the episode under way stands, for learners that ask along the way; raises as `demonstrate`."""
        return self._plan(self._under_way(), self._category)

    def search(self, seen: set[Cell]) -> str:
        """The next action of an expert that knows only the cells in `seen` and what is in view, which is added to `seen`.

        Begin an episode with an empty set. Raises `GoalUnreachable` where everything in reach was seen and the goal cannot be reached.
        """
        world = self._under_way()
        seen |= self._cells_in_view(world)
        return searching_action(self._read_map(world), self._read_pose(world), self._category, seen)

    def admissible(self) -> tuple[str, ...]:
        return self._choices(self._under_way()) if self._steps_left else ()

    @property
    def wanted(self) -> str:
        """The category that the episode under way looks for."""
        self._under_way()
        return self._category

    def look(self) -> Array:
        """MiniGrid's picture of what is in view now, `(7, 7, 3)`: what `info["view"]` names."""
        return self._picture(self._under_way())

    def map(self) -> tuple[GridMap, Pose]:
        """The scene from above as it stands, and where the agent is: for drawings and experts, and nothing that an agent knows."""
        return self._read_map(self._under_way()), self._read_pose(self._under_way())

    def payload(self, reference: ArrayReference) -> Array:
        """The array that a step named. Raises `NothingFound` where it is held no longer."""
        return self._payloads.get(reference)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        self._keep_position = bool((options or {}).get("keep_position"))
        text, info = super().reset(seed=seed, options=options)
        if self._keep_position:
            text = f"{self._caption(self._under_way())}\n{_goal(self._category)}"
        return text, {**info, **self._extras()}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        text, reward, terminated, truncated, info = super().step(action)
        return text, reward, terminated, truncated, {**info, **self._extras()}

    def _begin(self, task: Task) -> None:
        category, scene = self._read(task)
        if self._keep_position and scene != self._scene:
            raise MalformedTask(f"keep_position goes on in the scene under way; task {task.id!r} is in another one, so reset without it")
        if not self._keep_position:
            self._world, self._scene = self._make_world(scene), scene
        self._category = category
        self._taken = 0
        # Objects and walls never move and doors count as passable, so one map of distances holds for the whole episode.
        try:
            self._distances = goal_distances(self._read_map(self._under_way()), category)
        except GoalAbsent:
            self._distances = {}
        self._shortest = self._distance()

    def _act(self, action: str) -> ActionResult:
        world = self._under_way()
        word = action.strip().strip(".!\"'`").lower()
        allowed = self._choices(world)
        if word not in allowed:
            return ActionResult(text=f"Error: choose one of: {', '.join(allowed)}.", error=True)
        if word == "stop":
            success = self._distance() == 0
            said = f"You did: stop. The {self._category} is {'beside you' if success else 'not beside you'}."
            return ActionResult(text=said, reward=float(success), done=True, success=success)
        self._move(world, word)
        self._taken += word == "forward"
        return ActionResult(text=f"You did: {word}. {self._caption(world)}")

    def _distance(self) -> int | None:
        moves = self._distances.get(self._read_pose(self._under_way()).cell)
        return None if moves is None else max(0, moves - SUCCESS_RADIUS)

    def _extras(self) -> dict[str, Any]:
        measures = NavigationMeasures(category=self._category, shortest=self._shortest, taken=self._taken, distance=self._distance())
        return {"view": self._payloads.put(self.look()), "navigation": measures}

    def _under_way(self) -> Any:
        if self._world is None:
            raise MalformedTask("no scene is under way; call reset first")
        return self._world

    # What follows is all that knows the simulator: other worlds on a lattice of cells replace these.

    def _make_world(self, scene: int) -> Any:
        return make_world(scene)

    def _read_map(self, world: Any) -> GridMap:
        return read_map(world)

    def _read_pose(self, world: Any) -> Pose:
        return read_pose(world)

    def _cells_in_view(self, world: Any) -> frozenset[Cell]:
        return cells_in_view(world)

    def _picture(self, world: Any) -> Array:
        return np.asarray(world.gen_obs()["image"])

    def _caption(self, world: Any) -> str:
        return view(world, doors=True)

    def _choices(self, world: Any) -> tuple[str, ...]:
        return _admissible(world)

    def _move(self, world: Any, word: str) -> None:
        world.step(_ACTIONS[word])

    def _is_fair(self, world: Any, category: str) -> bool:
        return is_fair(world, category)

    def _draw(self, split: SceneSplit, seed: int, index: int) -> Task:
        """The task at an index; a scene is passed over where the goal is absent, too near, too far, or cannot be reached."""
        name = f"{self.name}/{split}/{seed}/{index}"
        category = random.Random(name).choice(self.categories)
        for attempt in range(MAX_DRAWS):
            drawn = random.Random(f"{name}/{attempt}").randrange(MAX_SCENE // len(SCENE_SPLITS))
            scene = drawn * len(SCENE_SPLITS) + SCENE_SPLITS.index(split)
            world = self._make_world(scene)
            task = self._task(category, scene, world)
            # Two scenes may look the same at the start; what an agent reads first is in one split only all the same.
            if text_split(task.text) == split and self._is_fair(world, category):
                return task
        raise GoalAbsent(f"no scene among {MAX_DRAWS} held a {category} that can be reached in {EXPERT_STEPS} actions")

    def _task(self, category: str, scene: int, world: Any) -> Task:
        return Task(
            id=f"{self.name}-{scene_split(scene)}-{category.replace(' ', '-')}-{scene}",
            goal=_goal(category),
            context=self._caption(world),
            instructions=self.instructions,
            environment=self.id,
            skill=self.name,
        )

    def _read(self, task: Task) -> tuple[str, int]:
        """Category and scene of a task. Raises `MalformedTask` for one that this environment did not make."""
        match = re.fullmatch(rf"{self.name}-({'|'.join(SCENE_SPLITS)})-([a-z]+-[a-z]+)-(\d{{1,10}})", task.id)
        category, scene = (match[2].replace("-", " "), int(match[3])) if match else ("", -1)
        if match is None or category not in self.known or not 0 <= scene < MAX_SCENE or scene_split(scene) != match[1]:
            raise MalformedTask(f"task id {task.id!r} is not one of {self.id!r}; take tasks from `tasks()`")
        if (task.goal, task.context) != (_goal(category), self._caption(self._make_world(scene))):
            raise MalformedTask(f"task {task.id!r} carries another text than {self.id!r} gives it; use it unchanged")
        return category, scene

    def _plan(self, world: Any, category: str) -> tuple[str, ...]:
        grid_map, pose = self._read_map(world), self._read_pose(world)
        if pose.cell not in goal_distances(grid_map, category):
            raise GoalUnreachable(f"no path leads from {pose.cell} to a {category}; choose another scene or category")
        caller = Caller(self._expert_seconds)
        try:
            # One action more than an episode has, so that a plan without an end is seen and not waited for.
            return caller.call(lambda: tuple(islice(self._expert(grid_map, pose, category), self.max_steps + 1)))
        except TimeoutError:
            seconds = f"{self._expert_seconds:g} seconds"
            raise ExpertFailed(f"the expert gave no plan within {seconds}; allow more by expert_seconds, or leave the task out") from None
        finally:
            caller.end(lambda: None)


def text_split(text: str) -> SceneSplit:
    """The split that an episode's first observation belongs to, by its SHA-256."""
    return SCENE_SPLITS[hashlib.sha256(text.encode()).digest()[0] % len(SCENE_SPLITS)]


def is_fair(world: MiniGridEnv, category: str) -> bool:
    """Whether a goal is present, not near at once, and within the expert's reach in half of an agent's steps."""
    grid_map, pose = read_map(world), read_pose(world)
    if category not in grid_map.objects.values() or goal_distances(grid_map, category).get(pose.cell, 0) < START_DISTANCE:
        return False
    return len(shortest_plan(grid_map, pose, category, radius=SUCCESS_RADIUS)) <= EXPERT_STEPS


def _admissible(world: MiniGridEnv) -> tuple[str, ...]:
    """The actions that change something, or end the episode."""
    front: Any = world.grid.get(*world.front_pos)
    if front is not None and front.type == "door" and not front.is_open:
        return ("left", "right", "open", "stop") if not front.is_locked else ("left", "right", "stop")
    return ("left", "right", "forward", "stop") if front is None or front.can_overlap() else ("left", "right", "stop")


def _goal(category: str) -> str:
    return f"Mission: find the {category}."
