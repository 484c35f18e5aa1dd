"""Where tasks come from: a Gymnasium-style environment that speaks text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from ..core import Task

Split = Literal["train", "test"]
"""`train` tasks may be learned from and corrected; `test` tasks are only ever scored."""


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """The expert's run on a task: what it saw and what it did, turn by turn."""

    observations: tuple[str, ...]
    """What the environment said before each action; the first is the task itself."""
    actions: tuple[str, ...]
    """What the expert did; the last one solves the task."""


@runtime_checkable
class Environment(Protocol):
    """A family of tasks. `reset` and `step` have Gymnasium's signatures; observations are text.

    One instance runs one episode at a time. Same task, same actions, same texts and rewards (law 1).
    """

    family: str
    """Name of the family, such as `database`; the tasks' `source` and `kind`."""
    max_steps: int
    """Actions after which an episode is truncated."""
    max_answer_tokens: int
    """Tokens that the longest right action needs, with room to spare; what is longer is no answer any more."""

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        """The first `count` tasks of a split under a seed; splits never share a task.

        Raises `DataMissing` when the data are not there, `ValueError` when fewer than `count` exist.
        """

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin `options["task"]`; returns the first observation (context and goal) and an info dict.

        Without a task, the first training task under `seed` begins.

        Raises `MalformedTask` for a task that this family did not make.
        """

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Act. Returns observation, reward (1.0 on success), terminated, truncated, info.

        A refused action (bad syntax, unknown command) is an observation with `info["error"] = True`,
        never an exception; the episode goes on until `max_steps`.
        """

    def admissible(self) -> tuple[str, ...]:
        """What can be done now; empty where actions are free text."""

    def demonstrate(self, task: Task) -> Demonstration:
        """The expert's solution, independent of the episode under way."""
