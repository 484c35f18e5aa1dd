"""A user's own Gymnasium environment as an `Environment`: text beside pictures, named actions, success by a stated rule, limits.

    environment = GymnasiumEnvironment("taxi-v1", lambda: gymnasium.make("Taxi-v3"), goal="Bring the passenger to the destination.")

Gymnasium: Towers et al. 2024, https://arxiv.org/abs/2407.17032.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self, TypeVar

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

from ..core import MalformedTask, NothingFound, Task
from ..core.versions import short_name
from ._episodes import TextEnvironment
from ._reply import ActionResult
from ._splits import split_of
from .caller import Caller
from .environment import Demonstration, History, Split
from .payloads import Array, ArrayPayloads, ArrayReference
from .results import RuleBroken, plain_text
from .spaces import caption, leaves

T = TypeVar("T")

DRAWS_PER_TASK = 50
"""Seeds tried for one task before the environment is said to have too few different beginnings."""
MAX_SEED = 2**31


@dataclass(frozen=True, kw_only=True)
class EpisodeState:
    """What a rule of success is given after a step."""

    reward: float
    """Of this step."""
    total: float
    """Of the episode so far."""
    terminated: bool
    """Whether the environment ended the episode."""
    info: Mapping[str, Any]
    """What the environment says besides."""


def default_success(state: EpisodeState) -> bool:
    """`info["success"]` or `info["is_success"]`, where there is one; else an episode that ends by itself with a reward above 0."""
    for key in ("success", "is_success"):
        if state.info.get(key) is not None:
            return bool(state.info[key])
    return state.terminated and state.reward > 0


def total_reaches(least: float) -> Callable[[EpisodeState], bool]:
    """The rule that an episode succeeds as soon as its rewards come to `least`."""
    return lambda state: state.total >= least


class GymnasiumEnvironment(TextEnvironment):
    """Episodes of an environment with spaces of Box, Dict, Discrete, MultiBinary, MultiDiscrete, Text and Tuple.

    A task is a seed of `reset`; its first text decides its split, so that no beginning is in both. The agent reads
    `describe(observation)`, or the numbers; `info["payloads"]` names each array, and `payload` returns it. The reward is 1 for success
    and 0 else; `info["reward"]` is the environment's own. An episode ends where it succeeds. All calls come from one thread, each
    within `seconds`.
    """

    def __init__(
        self,
        id: str,
        make: Callable[[], gymnasium.Env[Any, Any]],
        *,
        goal: str | Callable[[Any], str],
        actions: Sequence[str] | Mapping[str, Any] | None = None,
        describe: Callable[[Any], str] | None = None,
        success: Callable[[EpisodeState], bool] = default_success,
        expert: Callable[[gymnasium.Env[Any, Any], Any], Any] | None = None,
        instructions: str = "",
        max_steps: int = 100,
        seconds: float = 60.0,
        history: History = "full",
        max_payload_bytes: int = 64 * 1024**2,
    ) -> None:
        """Nothing is made before it is needed.

        `goal` is what is asked for, or a function of the first observation. `actions` are names of a Discrete space's actions in
        their order, or names with the values that they stand for; without them actions are called by number. `expert` gives, from
        the environment as it stands and the observation, the value of the next action. Raises `ValueError` for an id without a
        version, for less than 1 step and for seconds that are not above 0.
        """
        super().__init__()
        if short_name(id) == id or max_steps < 1 or not seconds > 0:
            raise ValueError(
                f"the id must end with a version such as -v1, steps and seconds be above 0; got {id!r}, {max_steps}, {seconds}"
            )
        self.id, self.max_steps, self.history = id, max_steps, history
        self._arguments: dict[str, Any] = {
            "goal": goal, "actions": actions, "describe": describe, "success": success, "expert": expert, "instructions": instructions,
            "max_steps": max_steps, "seconds": seconds, "history": history, "max_payload_bytes": max_payload_bytes,
        }  # fmt: skip
        self._make, self._goal, self._given_actions, self._describe = make, goal, actions, describe
        self._success, self._expert, self._seconds = success, expert, seconds
        longest = max((len(name) for name in actions or ()), default=4)
        self.max_answer_tokens = 8 + longest
        names = ", ".join(actions or ())
        self._instructions = instructions or (f"Answer with one action: {names}." if names else "Answer with the number of one action.")
        self._payloads = ArrayPayloads(max_bytes=max_payload_bytes)
        self._caller: Caller | None = None
        self._env: gymnasium.Env[Any, Any] | None = None
        self._info: Mapping[str, Any] = {}
        self._total = self._last_reward = 0.0
        self._cut = False

    def spawn(self) -> Self:
        return type(self)(self.id, self._make, **self._arguments)

    def close(self) -> None:
        if self._caller is not None:
            self._caller.end(self._env.close if self._env is not None else lambda: None)
        self._caller = self._env = None
        self._steps_left = 0

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        """See `Environment.tasks`. Raises `ValueError` where too few beginnings differ."""
        found: dict[str, Task] = {}
        probe = self.spawn()
        try:
            for drawn in islice(_seeds(f"{self.name}/{seed}"), DRAWS_PER_TASK * count + DRAWS_PER_TASK):
                if len(found) == count:
                    return list(found.values())
                task = probe._task(drawn)
                if split_of(task.text) == split:
                    found.setdefault(task.text, task)
        finally:
            probe.close()
        if len(found) == count:
            return list(found.values())
        tried = DRAWS_PER_TASK * (count + 1)
        raise ValueError(
            f"only {len(found)} of {count} {split} tasks: {tried} seeds gave no more beginnings that differ in what is described"
        )

    def demonstrate(self, task: Task) -> Demonstration:
        """See `Environment.demonstrate`. Raises `NothingFound` without an expert, or where the expert does not succeed."""
        if self._expert is None:
            raise NothingFound(f"{self.id} has no expert; give `expert`, or run without corrections")
        expert, episode = self._expert, self.spawn()
        try:
            text, _ = episode.reset(options={"task": task})
            observations, actions, env = [text], list[str](), episode._under_way()
            while True:
                value = episode._call("the expert", lambda: expert(env, episode._observation))
                actions.append(episode._name_of(value))
                text, _, terminated, truncated, info = episode.step(actions[-1])
                if terminated or truncated:
                    break
                observations.append(text)
        finally:
            episode.close()
        if not info["success"]:
            raise NothingFound(f"the expert of {self.id} does not solve task {task.id!r} within {self.max_steps} steps")
        return Demonstration(observations=tuple(observations), actions=tuple(actions))

    def admissible(self) -> tuple[str, ...]:
        """The names of the actions; those that `info["action_mask"]` allows, where the environment gives one."""
        if not self._steps_left:
            return ()
        names, mask = tuple(self._actions()), self._info.get("action_mask")
        if mask is None or len(mask) != len(names):
            return names
        return tuple(name for name, allowed in zip(names, mask, strict=True) if allowed)

    def payload(self, reference: ArrayReference) -> Array:
        """The array that a step named. Raises `NothingFound` where it is held no longer."""
        return self._payloads.get(reference)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        text, info = super().reset(seed=seed, options=options)
        return text, {**info, "payloads": self._references}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        text, reward, terminated, truncated, info = super().step(action)
        truncated = not terminated and (truncated or self._cut)
        self._steps_left = 0 if truncated else self._steps_left
        return text, reward, terminated, truncated, {**info, "payloads": self._references, "reward": self._last_reward}

    def _begin(self, task: Task) -> None:
        prefix = f"{self.name}-"
        drawn = task.id.removeprefix(prefix)
        if not task.id.startswith(prefix) or not drawn.isdecimal() or not 0 <= int(drawn) < MAX_SEED:
            raise MalformedTask(f"task id {task.id!r} is not one of {self.id!r}; take tasks from `tasks()`")
        made = self._task(int(drawn))
        if (made.goal, made.context) != (task.goal, task.context):
            raise MalformedTask(f"task {task.id!r} carries another text than {self.id!r} gives it; use it unchanged")
        self._total = self._last_reward = 0.0
        self._cut = False

    def _task(self, seed: int) -> Task:
        """The task of a seed; its episode has begun."""
        env = self._under_way()
        result = self._call("reset", lambda: env.reset(seed=seed))
        if not isinstance(result, tuple) or len(result) != 2:
            raise RuleBroken("reset must return two values, observation and info")
        self._read(*result)
        goal = self._goal if isinstance(self._goal, str) else self._goal(self._observation)
        return Task(
            id=f"{self.name}-{seed}",
            goal=goal,
            context=self._text,
            instructions=self._instructions,
            environment=self.id,
            skill=self.name,
        )

    def _act(self, action: str) -> ActionResult:
        names, word = {name.lower(): name for name in self.admissible()}, action.strip().strip(".!\"'`").lower()
        self._last_reward = 0.0
        if word not in names:
            return ActionResult(text=f"Error: choose one of: {', '.join(names.values())}.", error=True)
        env, value = self._under_way(), self._actions()[names[word]]
        result = self._call("step", lambda: env.step(value))
        if not isinstance(result, tuple) or len(result) != 5:
            raise RuleBroken("step must return five values, observation, reward, terminated, truncated and info")
        observation, reward, terminated, self._cut, info = result
        self._read(observation, info)
        self._last_reward = _finite(reward)
        self._total += self._last_reward
        state = EpisodeState(reward=self._last_reward, total=self._total, terminated=bool(terminated), info=self._info)
        success = bool(self._success(state))
        text = f"You did: {names[word]}. {self._text}"
        return ActionResult(text=text, reward=float(success), done=bool(terminated) or success, success=success)

    def _read(self, observation: Any, info: Any) -> None:
        """Take an observation in. Raises `RuleBroken` where it does not fit the space that the environment declares."""
        if not isinstance(info, Mapping):
            raise RuleBroken(f"info must be a mapping; got {type(info).__name__}")
        parts = dict(leaves(self._under_way().observation_space, observation))
        self._observation, self._info = observation, info
        self._text = plain_text(self._describe(observation) if self._describe is not None else f"Observation: {caption(parts)}.")
        self._references = {name: self._payloads.put(value) for name, value in parts.items() if not isinstance(value, str)}

    def _actions(self) -> dict[str, Any]:
        """Values by name. Raises `ValueError` for names that do not fit the space of actions."""
        space, given = self._under_way().action_space, self._given_actions
        if isinstance(given, Mapping):
            named = dict(given)
        elif isinstance(space, Discrete):
            numbers = [int(space.start) + number for number in range(int(space.n))]
            names = list(map(str, numbers)) if given is None else list(given)
            if len(names) != len(numbers):
                raise ValueError(f"{self.id} has {len(numbers)} actions; {len(names)} names are given: {', '.join(names)}")
            named = dict(zip(names, numbers, strict=True))
        else:
            raise ValueError(
                f"{self.id} takes actions of {type(space).__name__}; give `actions` as names with the values that they stand for"
            )
        unfit = [name for name, value in named.items() if not space.contains(value)]
        if unfit or len({name.lower() for name in named}) < max(1, len(given or named)):
            raise ValueError(f"{self.id}: actions need different names and values of its action space; look at {', '.join(unfit or named)}")
        return named

    def _name_of(self, value: Any) -> str:
        for name, one in self._actions().items():
            if np.array_equal(one, value):
                return name
        raise NothingFound(f"the expert of {self.id} chose {value!r}, which no name stands for: {', '.join(self._actions())}")

    def _under_way(self) -> gymnasium.Env[Any, Any]:
        if self._env is None:
            self._env = self._call("make", self._make)
        return self._env

    def _call(self, what: str, function: Callable[[], T]) -> T:
        """A call of the user's code within the limit. One that takes longer is left behind, and the next reset makes everything anew."""
        if self._caller is None:
            self._caller = Caller(self._seconds)
        try:
            return self._caller.call(function)
        except TimeoutError:
            self._caller.end(lambda: None)
            self._caller = self._env = None
            self._steps_left = 0
            raise RuleBroken(f"{what} of {self.id} took longer than {self._seconds:g} seconds; allow more by `seconds`") from None


def _seeds(name: str) -> Iterator[int]:
    rng = random.Random(name)
    while True:
        yield rng.randrange(MAX_SEED)


def _finite(reward: Any) -> float:
    number = float(reward)
    if not math.isfinite(number):
        raise RuleBroken(f"step's reward must be a finite number; got {reward!r}")
    return number
