"""Exercises as training samples: what is practised more, and how an exercise is asked.

Made-up tasks beside verified runs, as wake-sleep learning mixes dreams and replays (Ellis et al. 2021, "DreamCoder",
https://arxiv.org/abs/2006.08381, section 2). A kind of exercise that the agent gets wrong is practised more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ...core import Observation
from ...envs import Environment
from ...envs.practice import Exercise, can_preview, declared_grammar, preview
from ...learners import Sample
from ...serving import ChatRequest, Engine, takes_grammars
from ..strategies.transcript import View, visible


def practice_samples(exercises: Sequence[Exercise], episodes: Mapping[str, str]) -> list[Sample]:
    """A sample for each exercise; `episodes` are the episodes of the tasks that exercises were made from, by the task's id."""
    return [
        Sample(
            messages=tuple(visible(one.task, [Observation(text=one.task.text)], View(history="none"))),
            answer=one.answer,
            skill=one.task.skill,
            episode=episodes[one.source.id],
            practice=True,
        )
        for one in exercises
        if one.source.id in episodes
    ]


def exercise_results(
    exercises: Sequence[Exercise], environment: Environment, engine: Engine, *, adapter: str, constrain: bool = True
) -> list[tuple[str, bool]]:
    """The kind of each exercise, and whether the answer of an adapter brings about what the exercise's own answer does.

    Empty where the environment cannot try actions without judging them. No real task is judged and no right answer to one is used.
    """
    if not can_preview(environment) or not exercises:
        return []
    constrained = constrain and takes_grammars(engine)
    requests = [
        ChatRequest(
            messages=visible(one.task, [Observation(text=one.task.text)], View(history="none")),
            adapter=adapter,
            max_tokens=environment.max_answer_tokens,
            grammar=declared_grammar(environment, one.task) if constrained else "",
        )
        for one in exercises
    ]
    replies = engine.chat(requests)
    results = []
    for one, reply in zip(exercises, replies, strict=True):
        right, answered = preview(environment, one.source, one.answer), preview(environment, one.source, reply.text)
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
