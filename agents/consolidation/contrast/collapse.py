"""Whether the answers of a trained model have collapsed: into silence, into one answer for everything, or into repetition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LOOP = 24
"""Characters at an answer's end that repeat a shorter text: fewer occur in honest answers."""
MAX_RISE = 0.25
"""How much larger a share may become than it was before."""
MIN_ANSWERS = 8
"""Fewer answers tell nothing."""


@dataclass(frozen=True, kw_only=True)
class AnswerShape:
    """Shares of answers to different tasks, in [0, 1]."""

    empty: float
    """Answers without a letter."""
    same: float
    """Answers that are the most frequent one."""
    looping: float
    """Answers whose end repeats itself."""


def shape_of(answers: Sequence[str]) -> AnswerShape:
    """The shape of at least one answer. Raises `ValueError` for none."""
    if not answers:
        raise ValueError("answers have a shape where there is at least one")
    number = len(answers)
    return AnswerShape(
        empty=sum(not answer.strip() for answer in answers) / number,
        same=Counter(answer.strip() for answer in answers).most_common(1)[0][1] / number,
        looping=sum(loops(answer) for answer in answers) / number,
    )


def loops(answer: str) -> bool:
    """Whether the last `LOOP` characters are at least three copies of one text.

    >>> loops("SELECT a, a, a, a, a, a, a, a, a, a, a, a"), loops("SELECT name, age FROM people WHERE age > 30")
    (True, False)
    """
    end = answer.rstrip()[-LOOP:]
    return len(end) == LOOP and any(end[period:] == end[:-period] for period in range(1, LOOP // 3 + 1))


def collapse(before: Sequence[str], after: Sequence[str]) -> str:
    """Why a trained model's answers to some tasks have collapsed against those before its training; empty where they have not.

    Repeated training on own answers narrows them (Shumailov et al. 2024, "AI models collapse when trained on recursively generated
    data", https://doi.org/10.1038/s41586-024-07566-y). The bound is this project's own: no share may rise by more than `MAX_RISE`.
    """
    if min(len(before), len(after)) < MIN_ANSWERS:
        return ""
    old, new = shape_of(before), shape_of(after)
    names = {"empty": "empty", "same": "the same for different tasks", "looping": "repeating themselves"}
    found = [
        f"{getattr(new, field):.0%} of the answers are {text}, {getattr(old, field):.0%} were before"
        for field, text in names.items()
        if getattr(new, field) > getattr(old, field) + MAX_RISE
    ]
    return "; ".join(found)
