"""Exercises as training samples: what is practised more, and how an exercise is asked.

Made-up tasks beside verified runs, as wake-sleep learning mixes dreams and replays (Ellis et al. 2021, "DreamCoder",
https://arxiv.org/abs/2006.08381, section 2). A kind of exercise that the agent gets wrong is practised more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from ...core import MalformedTask, Observation, Task, reply_text
from ...envs import Environment
from ...envs.practice import Exercise, can_exercise, can_preview, declared_grammar, does_something, exercises, preview, variations
from ...envs.tools.exercises import ToolExercises, functions_of
from ...learners import Sample
from ...serving import ChatRequest, Engine, grammar_accepts, grammar_of, takes_grammars
from ..strategies.transcript import View, visible

VARIATIONS = 4
"""Exercises that one solved task may become by other values, at most."""


def practice_source(environment: Environment | None, tasks: Sequence[Task]) -> object | None:
    """Who makes exercises over some tasks: their environment, where it declares how; else their tools. None where neither can."""
    if can_exercise(environment) or hasattr(environment, "exchanges"):
        return environment
    return ToolExercises() if any(map(functions_of, tasks)) else None


def made_exercises(
    source: object,
    tasks: Sequence[Task],
    solved: Sequence[tuple[Task, str]],
    count: int,
    *,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
    without: Collection[str] = (),
) -> list[Exercise]:
    """Up to `count` exercises: solved tasks with other values, of which at most half are made, and others over what the tasks show.

    One that asks what a real task asks is left out (`without`, goals of real tasks): what the gate judges by is not to be practised. So is
    what the environment would refuse or what would do nothing, and a call that the tools' own schemas refuse.
    Raises `RuleBroken`, `PackageMissing`.
    """
    real = {plain_goal(goal) for goal in without}

    def allowed(some: Sequence[Exercise]) -> list[Exercise]:
        return [one for one in some if plain_goal(one.task.goal) not in real and (not one.task.tools or _is_allowed(one))]

    varied = allowed(variations(source, solved, min(count // 2, VARIATIONS * len(solved)), weights=weights, seed=seed))
    made = exercises(source, tasks, count - len(varied), weights=weights, seed=seed)
    return [*varied, *(one for one in allowed(made) if does_something(source, one))]


def plain_goal(goal: str) -> str:
    """A request without what does not change it.

    >>> plain_goal("Show  it. ") == plain_goal("show it")
    True
    """
    return " ".join(goal.split()).rstrip(".?! ").casefold()


def _is_allowed(exercise: Exercise) -> bool:
    """Whether an engine that keeps to the tools' schemas could write the answer."""
    asked = ChatRequest(messages=[], tools=exercise.task.tools, tool_choice="required")
    try:
        return grammar_accepts(grammar_of(asked), exercise.answer)
    except MalformedTask:
        # Some schema is recursive or no schema: no engine takes such a request, so that there is nothing to practise.
        return False


def practice_samples(exercises: Sequence[Exercise], episodes: Mapping[str, str]) -> list[Sample]:
    """A sample for each exercise; `episodes` are the episodes of the tasks that exercises were made from, by the task's id."""
    return [
        Sample(
            messages=tuple(visible(one.task, [Observation(text=one.task.text)], View(history="none"))),
            answer=one.answer,
            tools=one.task.tools,
            skill=one.task.skill,
            episode=episodes[one.source.id],
            practice=True,
        )
        for one in exercises
        if one.source.id in episodes
    ]


def exercise_results(
    exercises: Sequence[Exercise], source: object, engine: Engine, *, adapter: str, constrain: bool = True
) -> list[tuple[str, bool]]:
    """The kind of each exercise, and whether the answer of an adapter brings about what the exercise's own answer does.

    Empty where `source`, an environment as a rule, cannot try actions without judging them. No real task is judged and no right answer
    to one is used.
    """
    if not can_preview(source) or not exercises:
        return []
    constrained = constrain and takes_grammars(engine)
    requests = [
        ChatRequest(
            messages=visible(one.task, [Observation(text=one.task.text)], View(history="none")),
            adapter=adapter,
            max_tokens=getattr(source, "max_answer_tokens", 128),
            # A call of a tool is kept to the tool's schema already.
            grammar=declared_grammar(source, one.task) if constrained and not one.task.tools else "",
            tools=one.task.tools,
        )
        for one in exercises
    ]
    replies = engine.chat(requests)
    results = []
    for one, reply in zip(exercises, replies, strict=True):
        right, answered = preview(source, one.source, one.answer), preview(source, one.source, reply_text(reply.text, reply.tool_calls))
        results.append((one.template, not answered.error and answered.result == right.result))
    return results


def template_weights(results: Sequence[tuple[str, bool]]) -> dict[str, float]:
    """How much more than usual each kind is practised: twice its chance of failing, with one failure and one success added.

    A kind that fails half the time keeps its share, one that never fails goes towards none, one that always fails towards twice.

    >>> weights = template_weights([("order", True)] * 8 + [("having", False)] * 8)
    >>> weights["order"], weights["having"]
    (0.2, 1.8)
    """
    tried = Counter(template for template, _ in results)
    failed = Counter(template for template, right in results if not right)
    return {template: 2 * (failed[template] + 1) / (number + 2) for template, number in tried.items()}
