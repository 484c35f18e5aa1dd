"""Contrastive reflection: from evidence to lessons (failed against successful runs of one skill).

Compare Shinn et al. 2023, "Reflexion: Language Agents with Verbal Reinforcement Learning", https://arxiv.org/abs/2303.11366: there a model
reflects on a run; here lessons follow from counted evidence, and a model only words them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from ...core import Episode, Lesson
from .evidence import Evidence, contrast

Writer = Callable[[str], str]
"""A stronger model: takes a prompt, returns the principle in its own words; may return an empty string."""

_PRINCIPLES = {
    "error": "Answers failed with “{detail}”. Before answering, compare every name and sign with those that the task gives.",
    "divergence": "Where a failed answer went on with “{detail}”, a right one went on with “{instead}”.",
    "repetition": "Do not repeat “{detail}” when it has just failed to help; do something else.",
    "no_effect": "“{detail}” changed nothing where it was tried; look at what is in the way first.",
}


def reflect(
    failed: Sequence[Episode],
    succeeded: Sequence[Episode],
    *,
    nearest: Mapping[str, str] | None = None,
    most: int = 5,
    at_least: int = 2,
    writer: Writer | None = None,
    author: str = "evidence",
) -> list[Lesson]:
    """Write at most `most` lessons for one tenant's skill from evidence that at least `at_least` failures show.

    `nearest` names, by id, the successful run that each failed one is compared with where none has the same task.
    The evidence alone gives the text; a `writer` may word it better, and is given nothing but the evidence.
    Only runs that the environment or a user judged count as evidence (invariant Trust).
    Raises `ValueError` when episodes of several tenants or skills are mixed.
    """
    judged = [episode for episode in (*failed, *succeeded) if episode.outcome.judge.trusted or episode.correction]
    owners = {(episode.task.tenant, episode.skill) for episode in judged}
    if len(owners) > 1:
        raise ValueError(f"reflection works on one tenant's skill at a time, got {sorted(owners)}")
    trusted = {episode.id for episode in judged}
    evidence = contrast([e for e in failed if e.id in trusted], [e for e in succeeded if e.id in trusted], nearest)
    lessons: dict[str, Lesson] = {}
    for item in evidence:
        if item.weight >= at_least and len(lessons) < most:
            lesson = _lesson(item, *next(iter(owners)), writer, author)
            lessons.setdefault(lesson.id, lesson)
    return list(lessons.values())


def _lesson(evidence: Evidence, tenant: str, skill: str, writer: Writer | None, author: str) -> Lesson:
    text = _PRINCIPLES[evidence.kind].format(detail=evidence.detail, instead=evidence.instead)
    worded = writer(_brief(evidence, skill, text)).strip() if writer else ""
    return Lesson(
        id=hashlib.sha256(f"{tenant}\0{skill}\0{text}".encode()).hexdigest()[:16],
        tenant=tenant,
        skill=skill,
        text=worded or text,
        episodes=tuple(dict.fromkeys((*evidence.failures, *evidence.successes))),
        author=author if worded else "evidence",
    )


def _brief(evidence: Evidence, skill: str, text: str) -> str:
    return (
        f"In tasks of the kind “{skill}”, {evidence.weight} failed runs show this ({evidence.kind}): {evidence.detail}\n"
        + (f"Successful runs did this instead: {evidence.instead}\n" if evidence.instead else "")
        + f"Plainly put: {text}\nWrite one general principle of at most 30 words that would have prevented the failures. "
        "Answer with the principle alone."
    )
