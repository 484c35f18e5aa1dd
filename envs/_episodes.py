"""What every environment does alike: begin a task, count actions, truncate, and stay Gymnasium's `Env`."""

from __future__ import annotations

import string
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import gymnasium
from gymnasium.spaces import Text

from ..core import MalformedTask, Task
from ..core.versions import short_name
from ._reply import ActionResult
from .environment import Demonstration, Exchangeable, History, Split


class TextEnvironment(gymnasium.Env[str, str]):
    """Base of the environments here: a Gymnasium environment whose observations and actions are text."""

    id: str
    max_steps: int
    max_answer_tokens: int
    exchangeable: frozenset[Exchangeable] = frozenset()
    history: History = "full"

    def __init__(self) -> None:
        self.observation_space = Text(min_length=0, max_length=20_000, charset=string.printable)
        self.action_space = Text(min_length=0, max_length=2_000, charset=string.printable)
        self._steps_left = 0

    @abstractmethod
    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        """See `Environment.tasks`."""

    @abstractmethod
    def demonstrate(self, task: Task) -> Demonstration:
        """See `Environment.demonstrate`."""

    @abstractmethod
    def _begin(self, task: Task) -> None:
        """Set the episode up. Raises `MalformedTask` for a task that this environment did not make."""

    @abstractmethod
    def _act(self, action: str) -> ActionResult:
        """Carry out one action."""

    def admissible(self) -> tuple[str, ...]:
        return ()

    def spawn(self) -> Self:
        return type(self)()

    @property
    def name(self) -> str:
        """The id without its version: the skill of the tasks."""
        return short_name(self.id)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin `options["task"]`, or the first training task under `seed` when no task is given."""
        super().reset(seed=seed)
        task = (options or {}).get("task")
        if task is None:
            task = self.tasks("train", 1, seed=seed or 0)[0]
        if not isinstance(task, Task):
            raise MalformedTask(f"options['task'] must be a Task, got {type(task).__name__}")
        self._begin(task)
        self._steps_left = self.max_steps
        return task.text, {"task": task.id}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Act; see `Environment.step`. Raises Gymnasium's `ResetNeeded` when no episode is under way."""
        if self._steps_left <= 0:
            raise gymnasium.error.ResetNeeded("no episode is under way; call reset first")
        reply = self._act(action)
        self._steps_left = 0 if reply.done else self._steps_left - 1
        truncated = not reply.done and self._steps_left == 0
        return reply.text, reply.reward, reply.done, truncated, {"error": reply.error, "success": reply.success}
