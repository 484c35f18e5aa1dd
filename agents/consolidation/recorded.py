"""Contrasts from what is recorded: runs of one task that were right beside runs of it that were wrong.

That an agent learns from its failures beside its successes: Song et al. 2024, "Trial and Error: Exploration-Based Trajectory Optimization
for LLM Agents", https://arxiv.org/abs/2403.02502. Nothing is kept for them beside the record itself, so that they survive a crash, stay
within what the record may hold, and are gone with the runs that they are made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ...core import Action, Episode, Task
from ...core.episodes import SURE
from ...envs.templates import template_of
from ...learners.contrast.rows import JudgedSample
from ..strategies.transcript import View
from .contrast.groups import TriedAnswer, distinct, is_informative
from .judged import judged_samples

MOST_OF_A_TEMPLATE = 2
"""Successes, and failures, of different templates that are learned from of one task."""


def recorded_contrasts(episodes: Sequence[Episode]) -> list[JudgedSample]:
    """Judged answers to the tasks of one skill of which the record holds at least one right and one wrong answer.

    A correction is a right answer, and what it corrects a wrong one. Runs of several steps, answers that were picked from a list, and
    turns of a longer conversation are left out: which of their actions was wrong is not known.
    """
    tasks: dict[tuple[str, str], Task] = {}
    groups: dict[tuple[str, str], dict[TriedAnswer, None]] = defaultdict(dict)
    for episode in episodes:
        name = episode.task.environment, episode.task.key
        for attempt in _attempts(episode):
            tasks.setdefault(name, episode.task)
            groups[name].setdefault(attempt)
    found: list[JudgedSample] = []
    for name, group in groups.items():
        right = {attempt.answer for attempt in group if attempt.success}
        # The same words as right and as wrong tell nothing.
        known = [attempt for attempt in group if attempt.success or attempt.answer not in right]
        if is_informative(known):
            found += judged_samples(tasks[name], distinct(known, template_of, MOST_OF_A_TEMPLATE))
    return found


def _attempts(episode: Episode) -> list[TriedAnswer]:
    actions = [(place, step) for place, step in enumerate(episode.steps) if isinstance(step, Action)]
    if not actions or episode.previous:
        return []
    place, last = actions[-1]
    if last.chosen or (len(actions) > 1 and View.of(last, episode.steps[:place]).history != "none"):
        return []
    answer, run, likelihood = episode.answer.strip(), episode.id, float("-inf") if last.likelihood is None else last.likelihood
    if episode.correction:
        right = episode.correction.strip()
        given = [TriedAnswer(answer=right, success=True, run=run)]
        return given if answer in ("", right) else [*given, TriedAnswer(answer=answer, success=False, run=run, likelihood=likelihood)]
    if not answer or not (episode.trainable if episode.outcome.success else _surely_wrong(episode)):
        return []
    return [TriedAnswer(answer=answer, success=episode.outcome.success, run=run, likelihood=likelihood)]


def _surely_wrong(episode: Episode) -> bool:
    """Whether an environment or a person found the run wrong; what is guessed from a reaction proves nothing."""
    judge = episode.outcome.judge
    return episode.outcome.success is False and judge is not None and judge.trusted and episode.confidence >= SURE
