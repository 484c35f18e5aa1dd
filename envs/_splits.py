"""Generated tasks: a task's id is all that is needed to make it again, and its text decides its split."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from ..core import MalformedTask, Task
from ._episodes import TextEnvironment
from .environment import Split


class Problem(Protocol):
    """What a generator draws: a task's texts, and privately whatever judges it."""

    @property
    def context(self) -> str:
        """What is given with the goal."""

    @property
    def goal(self) -> str:
        """The request."""


ProblemT = TypeVar("ProblemT", bound=Problem)


def split_of(text: str) -> Split:
    """The split that a task's text belongs to: the lowest bit of its SHA-256.

    No text can be in both splits, whatever the seeds.
    """
    return "test" if hashlib.sha256(text.encode()).digest()[0] & 1 else "train"


class GeneratedEnvironment(TextEnvironment, Generic[ProblemT]):
    """An environment with as many tasks as anyone wants."""

    instructions: str
    """How to answer; the same for all tasks."""

    @abstractmethod
    def _make(self, rng: random.Random) -> ProblemT | None:
        """Draw a problem, or None when this draw would not make a fair one."""

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        found: dict[str, Task] = {}
        for index in itertools.count():
            if len(found) == count:
                break
            task = self._task(f"{self.name}-{split}-{seed}-{index}", self._draw(split, seed, index))
            found.setdefault(task.text, task)
        return list(found.values())

    def _task(self, name: str, problem: ProblemT) -> Task:
        return Task(
            id=name,
            goal=problem.goal,
            context=problem.context,
            instructions=self.instructions,
            environment=self.id,
            skill=self.name,
        )

    def _draw(self, split: Split, seed: int, index: int) -> ProblemT:
        for attempt in itertools.count():
            problem = self._make(random.Random(f"{self.name}/{seed}/{index}/{attempt}"))
            if problem is not None and split_of(f"{problem.context}\n{problem.goal}") == split:
                return problem
        raise AssertionError("itertools.count ended")

    def _problem(self, task: Task) -> ProblemT:
        """The problem behind a task. Raises `MalformedTask` for a task that this environment did not make."""
        match = re.fullmatch(rf"{self.name}-(train|test)-(-?\d+)-(\d+)", task.id)
        if match is None:
            raise MalformedTask(f"task id {task.id!r} is not one of {self.id!r}; take tasks from `tasks()`")
        split: Split = "train" if match[1] == "train" else "test"
        problem = self._draw(split, int(match[2]), int(match[3]))
        if (problem.context, problem.goal) != (task.context, task.goal):
            raise MalformedTask(f"task {task.id!r} carries another text than {self.id!r} gives it; use it unchanged")
        return problem
