"""What an environment may offer for practice without an answer key: made-up tasks with answers, and actions tried without a judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import Task
from .environment import Environment
from .results import RuleBroken

MAX_GRAMMAR = 200_000
"""Characters that a grammar may have."""


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A task that was made from its answer; nobody ever asked for it."""

    task: Task
    """What an agent would be shown; `reset` does not know it."""
    answer: str
    """The action that it was made from."""
    template: str
    """Which kind of exercise it is, so that kinds that fail can be practised more."""
    source: Task
    """The task in whose world the answer runs."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an action would bring about, without any judgement of whether that is what the task wants."""

    result: str
    """What comes of it, the same text for the same result; never shown to an agent."""
    error: str = ""
    """Why it would be refused, as the agent would read it; empty where it would run."""
    empty: bool = False
    """Whether it would run and do nothing: no rows, no change."""


def declared_grammar(environment: Environment, task: Task) -> str:
    """What an answer to a task may be, in llguidance's form of Lark; empty where the environment says nothing. Raises `RuleBroken`.

    The task may be an exercise, which `reset` does not know.
    """
    declare = getattr(environment, "grammar", None)
    text: Any = declare(task) if declare is not None else ""
    if not isinstance(text, str) or len(text) > MAX_GRAMMAR:
        raise RuleBroken(f"grammar must return a text of at most {MAX_GRAMMAR} characters; got {str(text)[:80]!r}")
    return text


def can_preview(environment: Environment | None) -> bool:
    """Whether actions can be tried without being judged."""
    return hasattr(environment, "preview")


def preview(environment: Environment, task: Task, action: str) -> Preview:
    """What an action would bring about. Raises `RuleBroken` where the environment answers with anything else."""
    found: Any = getattr(environment, "preview")(task, action)  # noqa: B009 (an optional member)
    if not isinstance(found, Preview):
        raise RuleBroken(f"preview must return a Preview; got {str(found)[:80]!r}")
    return found


def can_exercise(environment: Environment | None) -> bool:
    """Whether tasks can be made up from answers."""
    return hasattr(environment, "exercises")


def exercises(
    environment: Environment, tasks: Sequence[Task], count: int, *, weights: Mapping[str, float] | None = None, seed: int = 0
) -> list[Exercise]:
    """Up to `count` exercises over what some tasks show; empty where the environment makes none. Raises `RuleBroken`."""
    if not can_exercise(environment) or not tasks or count < 1:
        return []
    made: Any = getattr(environment, "exercises")(tasks, count, weights=weights or {}, seed=seed)  # noqa: B009 (as above)
    found = list(made) if isinstance(made, Sequence) else []
    if len(found) > count or not all(isinstance(one, Exercise) and one.answer.strip() for one in found):
        raise RuleBroken(f"exercises must return at most {count} of Exercise, each with an answer; got {str(made)[:80]!r}")
    return found
