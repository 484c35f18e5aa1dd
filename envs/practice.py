"""What an environment may offer for practice without an answer key: made-up tasks with answers, and actions tried without a judgement."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core import Task
from .results import RuleBroken
from .templates import HoleValue, Template, fill, mine

MAX_GRAMMAR = 200_000
"""Characters that a grammar may have."""
DRAWS = 12
"""Draws for each wanted exercise before there are taken to be no more."""


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


def declared_grammar(environment: object, task: Task) -> str:
    """What an answer to a task may be, in llguidance's form of Lark; empty where the environment says nothing. Raises `RuleBroken`.

    The task may be an exercise, which `reset` does not know.
    """
    declare = getattr(environment, "grammar", None)
    text: Any = declare(task) if declare is not None else ""
    if not isinstance(text, str) or len(text) > MAX_GRAMMAR:
        raise RuleBroken(f"grammar must return a text of at most {MAX_GRAMMAR} characters; got {str(text)[:80]!r}")
    return text


def template_grammars(environment: object, task: Task, solved: Sequence[tuple[Task, str]], most: int) -> list[str]:
    """What an answer to a task may be where it has the form of a solved task's answer: a grammar for each form, at most `most`.

    In the order of `solved`; two answers of one form give one. Empty where the environment says nothing of forms. Raises `RuleBroken`.
    """
    declare = getattr(environment, "template_grammar", None)
    found: dict[str, None] = {}
    for one, answer in solved:
        if declare is None or len(found) >= most:
            break
        text: Any = declare(task, one, answer)
        if not isinstance(text, str) or len(text) > MAX_GRAMMAR:
            raise RuleBroken(f"template_grammar must return a text of at most {MAX_GRAMMAR} characters; got {str(text)[:80]!r}")
        if text:
            found[text] = None
    return list(found)


def can_preview(environment: object) -> bool:
    """Whether actions can be tried without being judged."""
    return hasattr(environment, "preview")


def preview(environment: object, task: Task, action: str) -> Preview:
    """What an action would bring about. Raises `RuleBroken` where the environment answers with anything else."""
    found: Any = getattr(environment, "preview")(task, action)  # noqa: B009 (an optional member)
    if not isinstance(found, Preview):
        raise RuleBroken(f"preview must return a Preview; got {str(found)[:80]!r}")
    return found


def can_exercise(environment: object) -> bool:
    """Whether tasks can be made up from answers."""
    return hasattr(environment, "exercises")


def exercises(
    environment: object, tasks: Sequence[Task], count: int, *, weights: Mapping[str, float] | None = None, seed: int = 0
) -> list[Exercise]:
    """Up to `count` exercises over what some tasks show; empty where the environment makes none. Raises `RuleBroken`."""
    if not can_exercise(environment) or not tasks or count < 1:
        return []
    made: Any = getattr(environment, "exercises")(tasks, count, weights=weights or {}, seed=seed)  # noqa: B009 (as above)
    found = list(made) if isinstance(made, Sequence) else []
    if len(found) > count or not all(isinstance(one, Exercise) and one.answer.strip() for one in found):
        raise RuleBroken(f"exercises must return at most {count} of Exercise, each with an answer; got {str(made)[:80]!r}")
    return found


def exchanges(source: object, task: Task, answer: str) -> dict[HoleValue, Sequence[HoleValue]]:
    """The values that a solved task and its answer have in common, each with what may stand in its place in both.

    Empty where the environment says nothing. Raises `RuleBroken`, also where a value of another type is offered.
    """
    declare = getattr(source, "exchanges", None)
    found: Any = declare(task, answer) if declare is not None else {}
    if not isinstance(found, Mapping):
        raise RuleBroken(f"exchanges must return a mapping of HoleValue to HoleValues; got {str(found)[:80]!r}")
    for value, others in found.items():
        if not isinstance(value, HoleValue) or not all(isinstance(other, HoleValue) and other.type == value.type for other in others):
            raise RuleBroken(
                f"exchanges must return a mapping of HoleValue to HoleValues of the same type; got {str((value, others))[:80]!r}"
            )
    return dict(found)


def variations(
    source: object, solved: Sequence[tuple[Task, str]], count: int, *, weights: Mapping[str, float] | None = None, seed: int = 0
) -> list[Exercise]:
    """Up to `count` exercises that are solved tasks with other values of the same types in both request and answer. Raises `RuleBroken`.

    `weights` are those of templates by name, 1 where none is given. Where the environment can try answers, those that would be refused
    or do nothing are left out.
    """
    mined = [(task, *mine(task.goal, answer, given), given) for task, answer in solved if (given := exchanges(source, task, answer))]
    shares = [(weights or {}).get(template.name, 1.0) for _, template, _, _ in mined]
    rng, found = random.Random(f"variations/{seed}"), dict[tuple[str, str], Exercise]()
    for _ in range(DRAWS * count if sum(shares) else 0):
        if len(found) == count:
            break
        task, template, values, given = rng.choices(mined, weights=shares)[0]
        drawn = _others(template, values, given, rng)
        if drawn is None:
            continue
        goal, answer = fill(template, drawn)
        made = Exercise(
            task=replace(task, id=f"variation-{seed}-{len(found)}", goal=goal), answer=answer, template=template.name, source=task
        )
        if (task.id, goal) not in found and does_something(source, made):
            found[task.id, goal] = made
    return list(found.values())


def _others(
    template: Template, values: Sequence[HoleValue], given: Mapping[HoleValue, Sequence[HoleValue]], rng: random.Random
) -> tuple[HoleValue, ...] | None:
    """Values for the holes, of which at least one is another than before and no two are the same; None where a draw finds none."""
    drawn = tuple(rng.choice(options) if (options := given[value]) and rng.random() < 0.8 else value for value in values)
    clear = len({one.said for one in drawn}) == len({one.written for one in drawn}) == len(template.types)
    return drawn if clear and drawn != tuple(values) else None


def does_something(source: object, made: Exercise) -> bool:
    """Whether an exercise's own answer is not refused and brings something about, as far as the environment can tell."""
    if not can_preview(source):
        return True
    found = preview(source, made.source, made.answer)
    return not found.error and not found.empty
