"""Lessons that were not shown when a run began, at the step that they warn of.

They stand behind everything that the model has read so far, so that the served prefix stays cached; each is shown once in a run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...core import Lesson, LessonStatus, Message, Recall, text_of
from ...core.messages import call_text
from ...memory import neutralise
from ...memory.turns.terms import terms
from ..components import Components
from ..effects import is_withdrawn, placebo_of
from ..wake import lessons_on_trial
from .run import OpenRun

COMMON = 0.5
"""Share of a lesson's terms that stand in a step which it warns of, where the lesson quotes nothing."""
FEWEST = 3
"""Fewest terms of such a lesson: of fewer, half is chance."""
LONGEST = 20_000
"""Characters of a step that are looked at."""
MOST = 512
"""Characters of a lesson that are shown."""

_QUOTED = re.compile(r"“([^”]{1,500})”")


def reminder(components: Components, run: OpenRun, messages: Sequence[Message]) -> Recall | None:
    """The lesson that warns of what a run has just done and seen, None where there is none. `messages` end with a tool's result.

    In the placebo arm it is text of equal length, in the control arm nothing.
    """
    if run.control or not run.skill or not messages or messages[-1]["role"] != "tool":
        return None
    if is_withdrawn(components.record, run.task.tenant, run.skill):
        return None
    known = components.record.lessons.find(run.task.tenant, run.skill, LessonStatus.ACTIVE)
    step = _step(messages)
    fitting = (
        lesson
        for lesson in (*known, *lessons_on_trial(components, run.task, run.skill))
        if lesson.id not in run.lessons and warns_of(lesson, step)
    )
    lesson = next(fitting, None)
    if lesson is None:
        return None
    shown = Recall(text=f"Lesson: {neutralise(' '.join(lesson.text[:MOST].split()))}", lessons=(lesson.id,))
    return placebo_of(shown) if run.placebo else shown


def warns_of(lesson: Lesson, step: str) -> bool:
    """Whether a lesson is about what a step says: what it quotes first stands there, or half of its terms where it quotes nothing."""
    quoted = _QUOTED.findall(lesson.text)
    own, here = set(terms(quoted[0] if quoted else lesson.text)), set(terms(step))
    if quoted:
        return bool(own) and own <= here
    return len(own) >= FEWEST and len(own & here) >= COMMON * len(own)


def _step(messages: Sequence[Message]) -> str:
    """The calls of the newest turn of the assistant and what came of them."""
    last = max((number for number, one in enumerate(messages) if one["role"] == "assistant"), default=0)
    texts = [text_of(one) for one in messages[last:] if one["role"] == "tool"]
    calls = [call_text(call) for call in messages[last].get("tool_calls") or ()]
    return "\n".join([*calls, *texts])[:LONGEST]
