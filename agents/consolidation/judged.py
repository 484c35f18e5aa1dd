"""Attempts at a task as samples that say whether they were right, and what right answer a wrong one is nearest to.

Preferences from the first erroneous step on: Lai et al. 2024, "Step-DPO", https://arxiv.org/abs/2406.18629, with words for steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core import Observation, Task
from ...envs import Environment
from ...envs.practice import can_preview, preview
from ...learners import Sample
from ...learners.contrast.rows import JudgedSample
from ..strategies.transcript import View, visible
from ..strategy import Run
from .attempts import deeds, likelihood
from .contrast.divergence import divergences
from .contrast.groups import TriedAnswer


def tried_answer(run: Run, task: Task | None = None, environment: Environment | None = None) -> TriedAnswer:
    """What a run of one answer did, and what became of it; with its result, where an environment with a `preview` is given."""
    answer, result = deeds(run), ""
    if task is not None and environment is not None and can_preview(environment):
        seen = preview(environment, task, answer)
        result = "" if seen.error or seen.empty else seen.result
    return TriedAnswer(answer=answer, success=run.outcome.success, likelihood=likelihood(run), result=result)


def judged_samples(task: Task, attempts: Sequence[TriedAnswer]) -> list[JudgedSample]:
    """A sample for each attempt that has a verdict; a failure names the nearest success of the group."""
    nearest = {found.failure: found.success.answer for found in divergences(attempts)}
    messages = tuple(visible(task, [Observation(text=task.text)], View(history="none")))
    return [
        JudgedSample(
            sample=Sample(messages=messages, answer=attempt.answer, tools=task.tools, skill=task.skill, episode=attempt.run or task.id),
            success=attempt.success,
            group=task.id,
            weight=attempt.weight,
            instead=nearest.get(attempt, ""),
        )
        for attempt in attempts
        if attempt.success is not None
    ]
