"""How tasks are run: the `Strategy` protocol, what it is given and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..core import Message, Outcome, Recall, Step, Task, Usage
from ..envs import Environment


@dataclass(frozen=True, kw_only=True)
class NewSteps:
    """Steps of a run under way that a journal is to keep."""

    run: str
    """The job's id."""
    position: int
    """How many steps stand before these; what was kept from there on is replaced."""
    steps: tuple[Step, ...]
    """What happened."""
    usage: Usage
    """What these steps cost."""


class Journal(Protocol):
    """Where steps are kept as they happen, so that a run that is interrupted can go on."""

    def keep(self, some: Sequence[NewSteps]) -> None:
        """Keep steps; on disk when this returns. Raises `StoreError`."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One task to run and what it runs with."""

    task: Task
    """What is asked."""
    environment: Environment | None = None
    """Who answers actions and judges; None for a chat, which ends with one reply that nobody has judged."""
    adapter: str = ""
    """A published adapter, empty for the base."""
    recall: Recall | None = None
    """What memory adds to the first turn."""
    history: tuple[Message, ...] = ()
    """Earlier turns of a chat."""
    tries: int = 1
    """Most answers tried while the environment refuses them."""
    max_tokens: int | None = 128
    """Most tokens of one answer; None, for a chat alone: as many as the model's context has room for."""
    temperature: float = 0.0
    """Temperature of the first try."""
    seed: int = 0
    """Seed of the later tries, which are sampled."""
    constrain: bool = True
    """Whether answers are kept to the grammar of the environment, where it declares one and the engine follows it."""
    solved: tuple[tuple[Task, str], ...] = ()
    """Solved tasks of the same skill with their answers, the nearest first: answers may follow their forms where the environment says how
    (`envs.practice.template_grammars`)."""
    template: int | None = None
    """Which of these forms the first answer follows, counted from the first again after the last; None leaves it to the strategy."""
    id: str = ""
    """What the journal knows the run by."""
    steps: tuple[Step, ...] = ()
    """What had happened before the run was interrupted; empty for a new one."""
    journal: Journal | None = None
    """Where a strategy keeps each step as it happens; None where nothing is kept before the end."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a job."""

    steps: tuple[Step, ...]
    """Everything that happened."""
    outcome: Outcome
    """How it ended."""
    usage: Usage
    """What it cost."""
    model: str = ""
    """Who acted, where it was not the engine's model."""


@runtime_checkable
class Strategy(Protocol):
    """A way of running tasks on an engine. Members are made with `engine` and named by the setting `wake.strategy`.

    Each job is judged by its environment alone: a run's success and score are what the environment said of its last action, and a
    run without an environment has the outcome `UNKNOWN`. Same jobs, same engine, same runs (invariant Determinism). Jobs are
    independent: each run takes an environment of its own from `spawn` and closes it, the given one stays as it was; one that
    fails ends its own run with the reason and success None, and no other.
    """

    def act(self, jobs: Sequence[Job]) -> list[Run]:
        """Run every job to its end; one run a job, in their order.

        A run begins with an observation, holds every action, and after each action what the environment answered.
        Raises `MalformedTask` for a task that its environment refuses and `EngineUnreachable`.
        """
