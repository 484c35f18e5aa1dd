"""What is wrong with answers or with their verdicts, in words that people read: a model that says nothing, a judge that tells nothing.

What is looked at is this project's own. That groups without a difference teach nothing: Xiong et al. 2025, "A Minimalist Approach to LLM
Reasoning", https://arxiv.org/abs/2504.11343, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core import Action
from ...core.visible import visible_text
from ..strategy import Run
from .attempts import Group, suspicious

MIN_ANSWERS = 8
"""Answers below which nothing is said of a model."""


def model_fault(runs: Sequence[Run]) -> str:
    """What is wrong with how a model answers, whatever is asked; empty where nothing shows.

    The last action of each run is looked at.
    """
    last = [actions[-1] for run in runs if (actions := [step for step in run.steps if isinstance(step, Action)])]
    if len(last) < MIN_ANSWERS:
        return ""
    replies = [action.reply for action in last]
    if not any(map(visible_text, replies)):
        return f"all of {len(last)} answers are empty"
    if all(action.cut for action in last):
        return f"all of {len(last)} answers were cut off at the most tokens that an answer may have"
    return f"all of {len(last)} answers are the same text" if len(set(replies)) == 1 else ""


def diagnosis(groups: Sequence[Group]) -> str:
    """Why runs and verdicts, grouped by task, prove nothing; empty where some were confirmed, some were not, and none is contradicted."""
    if reason := suspicious(groups):
        return reason
    runs = [run for group in groups for run in group.runs]
    judged = [run.outcome.success for run in runs if run.outcome.success is not None]
    if not judged:
        return f"the environment judged none of {len(runs)} answers" if runs else ""
    if all(judged):
        return f"the environment confirmed all of {len(judged)} answers"
    if any(judged):
        return ""
    fault = model_fault(runs)
    return f"the environment confirmed none of {len(judged)} answers{': ' if fault else ''}{fault}"


def dropped(groups: Sequence[Group]) -> str:
    """Which groups of attempts teach nothing since their attempts all succeed or all fail; empty where there is none.

    >>> dropped([])
    ''
    """
    right = sum(bool(group.runs) and all(run.outcome.success for run in group.runs) for group in groups)
    wrong = sum(not any(run.outcome.success for run in group.runs) for group in groups)
    if not right + wrong:
        return ""
    return f"{right + wrong} of {len(groups)} tasks taught nothing ({right} solved by every attempt, {wrong} by none)"
