"""Expert iteration: failed tasks are attempted again with several samples, and what the environment confirms is learned from.

Anthony, Tian and Barber 2017, "Thinking Fast and Slow with Deep Learning and Tree Search", https://arxiv.org/abs/1705.08439, without a
search; positives alone do about as well as policy gradients where groups without a success are dropped (Xiong et al. 2025, "A Minimalist
Approach to LLM Reasoning", https://arxiv.org/abs/2504.11343, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core import Action
from ...core.visible import visible_text
from ...envs.templates import template_of
from ..strategy import Run
from .contrast.groups import one_of_each

TEMPERATURE = 0.9
"""Temperature of the attempts: a greedy answer to a failed task has failed."""
MOST_SOLUTIONS = 2
"""Solutions of one task that are kept, where they differ in more than their values."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """All attempts at one task."""

    task: str
    """The task's id."""
    runs: tuple[Run, ...]
    """What came of each."""


def solutions(group: Group) -> list[Run]:
    """The confirmed runs of a group that are worth learning from: one of each form, the likeliest first, at most `MOST_SOLUTIONS`.

    None where all attempts succeed, which teaches nothing new, and none where none does.
    """
    # Silence is never learned, whoever confirms it.
    wins = [run for run in group.runs if run.outcome.success and visible_text(deeds(run))]
    if not wins or (len(wins) == len(group.runs) and len(group.runs) > 1):
        return []
    likeliest_first = sorted(wins, key=likelihood, reverse=True)
    return one_of_each(likeliest_first, lambda run: template_of(deeds(run)))[:MOST_SOLUTIONS]


def deeds(run: Run) -> str:
    """Everything that a run did, as text."""
    return "\n".join(step.reply for step in run.steps if isinstance(step, Action))


def likelihood(run: Run) -> float:
    """Mean natural-log probability of a run's answers; minus infinity where it is not known."""
    known = [step.likelihood for step in run.steps if isinstance(step, Action) and step.likelihood is not None]
    return sum(known) / len(known) if known else float("-inf")


def suspicious(groups: Sequence[Group]) -> str:
    """Why the verdicts of an environment cannot be learned from; empty where they can.

    An environment that confirms whatever it is given, or judges one answer to one task now so and now otherwise, tells nothing apart.
    """
    judged = [run for group in groups for run in group.runs if run.outcome.success is not None]
    if len(judged) < MIN_JUDGED:
        return ""
    same: dict[tuple[str, str], set[bool]] = {}
    for group in groups:
        for run in group.runs:
            if run.outcome.success is not None:
                same.setdefault((group.task, deeds(run)), set()).add(run.outcome.success)
    if contradicted := sum(len(verdicts) > 1 for verdicts in same.values()):
        return f"the environment judged the same answer to the same task differently ({contradicted} times)"
    several = sum(len({deeds(run) for run in group.runs}) > 1 for group in groups)
    if all(run.outcome.success for run in judged) and 2 * several >= len(groups):
        return f"the environment confirmed all of {len(judged)} attempts, different ones at the same task among them"
    return ""


MIN_JUDGED = 16
"""Attempts below which nothing is said of the environment's verdicts."""
