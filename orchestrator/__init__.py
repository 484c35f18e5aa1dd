"""The three verbs of the house.

`wake` handles a task, `sleep` turns what was verified into a gated adapter, `forget` erases and proves it.
`LifelongLearner` is their face; `LifelongLearner.open` builds it from settings, `Parts` from parts of your own.
"""

from __future__ import annotations

from .components import Parts
from .discover import Question, answer, questions
from .learner import LifelongLearner, Status, unlabelled, vouching_rule
from .sleep import Night, Progress

__all__ = ["LifelongLearner", "Night", "Parts", "Progress", "Question", "Status", "answer", "questions", "unlabelled", "vouching_rule"]
