"""The three verbs of the package.

`wake` handles a task, `sleep` turns what was verified into a gated adapter, `forget` erases and proves it.
`LifelongLearner` is their face; `LifelongLearner.open` builds it from settings, `Components` from components of your own.
"""

from __future__ import annotations

from .components import Components
from .discover import Question, answer, questions
from .erasure import erase_pending_rows, erasure_lock
from .learner import LifelongLearner, Status, acceptance_rule, unlabelled
from .open import open_store
from .open_runs import AsyncRun, OpenRun, RunContext, Runs, Session
from .phases import PHASES, Progress
from .run_state import EvaluationRow, Night, NightState, RunSeconds, SleepReport

__all__ = [
    "PHASES",
    "AsyncRun",
    "Components",
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
    "SleepReport",
    "Status",
    "acceptance_rule",
    "answer",
    "erase_pending_rows",
    "erasure_lock",
    "open_store",
    "questions",
    "unlabelled",
]
