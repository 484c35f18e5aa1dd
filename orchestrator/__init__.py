"""The three verbs of the package.

`wake` handles a task, `sleep` turns what was verified into a gated adapter, `forget` erases and proves it.
`LifelongLearner` is their face; `LifelongLearner.open` builds it from settings, `Components` from components of your own.
"""

from __future__ import annotations

from .components import Components
from .discover import Question, answer, questions
from .erasure import erase_pending_rows, erasure_lock
from .learner import LifelongLearner, Status, acceptance_rule, unlabelled
from .open import open_store, open_turns
from .open_runs import AsyncRun, OpenRun, RunContext, Runs, Session
from .phases import PHASES, Progress
from .run_state import DiscoverCounts, EvaluationRow, Night, NightState, RunSeconds, SleepReport
from .skills import SkillDescription, describe_skills, merge_skills, rename_skill, split_skill
from .turn_memory import newest_said

__all__ = [
    "PHASES",
    "AsyncRun",
    "Components",
    "DiscoverCounts",
    "EvaluationRow",
    "LifelongLearner",
    "Night",
    "NightState",
    "OpenRun",
    "Progress",
    "Question",
    "RunContext",
    "RunSeconds",
    "Runs",
    "Session",
    "SkillDescription",
    "SleepReport",
    "Status",
    "acceptance_rule",
    "answer",
    "describe_skills",
    "erase_pending_rows",
    "erasure_lock",
    "merge_skills",
    "newest_said",
    "open_store",
    "open_turns",
    "questions",
    "rename_skill",
    "split_skill",
    "unlabelled",
]
