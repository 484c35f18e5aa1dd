"""What memory adds to a prompt: lessons, then the nearest verified episodes, inside a token budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ...core import Action, Episode, Lesson, LessonStatus, Recall, ToolResult
from ...core.settings import MemorySettings
from ..index.vector_index import VectorIndex
from ..sqlite.episodes import Vector

if TYPE_CHECKING:
    from ..sqlite.record import Record

WIDEST = 4096
"""Most neighbours looked at in search of verified ones."""

# Every alternative looks at a bounded number of characters from where it stands, so that the time is linear in the text.
_CONTROL = re.compile(
    r"""
    [<＜](?=\s{0,2}[/|｜!\[])                           # closing tags, <|...|>, <!...>; with a space or two too
    | [<＜](?=\s{1,2}[A-Za-z_]{1,40}\s{0,2}[>|/])       # tags after a space or two
    | (?<!\w)[<＜](?=[A-Za-z_])(?![a-z][a-z0-9+.-]{0,20}:)   # opening tags of any name; <http://...> is none
    | (?<=\w)[<＜](?=[a-z_](?:[>|/]|[\w.-]{1,40}\W))      # the same right after a word; List<String> and b<c are none
    | (?<=\w)[<＜](?=[A-Z_]{2,40}[>|/])
    | \[(?=\s?/?\s?[a-z]?[A-Z_]{2,40}\s?\])             # [INST], [TOOL_CALLS], [gMASK]
    """,
    re.VERBOSE,
)


def neutralise(text: str) -> str:
    """Break whatever looks like a tag or a control token: it could end the recalled block or speak for another role (invariant Trust).

    A space after the bracket: `</memory>`, `<|im_end|>`, `[INST]` stay readable and are no longer special. What stays as it is was chosen
    by what code needs: comparisons, shifts, generic types and addresses. Linear in the length of the text.

    >>> neutralise("a<b </memory> <turn|> [TOOL_CALLS] <http://example.org/s>")
    'a<b < /memory> < turn|> [ TOOL_CALLS] <http://example.org/s>'
    """
    return _CONTROL.sub(lambda match: f"{match[0]} ", text)


def fit_budget(items: Iterable[str], count_tokens: Callable[[str], int], budget: int) -> list[int]:
    """Positions of the items that fit, taken in order, joined by newlines, in `budget` tokens; one too large is passed over."""
    kept: list[int] = []
    text = ""
    for position, item in enumerate(items):
        longer = f"{text}\n{item}" if kept else item
        if count_tokens(longer) <= budget:
            kept.append(position)
            text = longer
    return kept


def recall(
    record: Record,
    index: VectorIndex,
    *,
    tenant: str,
    skill: str,
    vector: Vector,
    settings: MemorySettings,
    count_tokens: Callable[[str], int],
    probation: Collection[str] = (),
    exclude: Collection[str] = (),
) -> Recall | None:
    """A `Recall` step for a task with embedding `vector` `(d,)`, or None when there is nothing to show.

    Lessons of the skill come first: all active ones, the most helpful before the others, then those on probation whose
    ids the caller allows by `probation`. Then verified episodes of the skill (of the tenant where `skill` is empty), without
    those in `exclude`: the nearest, or the latest where the settings say so. Draws nothing: same record, same step.
    """
    if settings.recall == "off":
        return None
    lessons = _lessons(record, tenant, skill, probation)
    if settings.recall == "latest":
        episodes = _latest(record, tenant, skill, settings.recall_episodes, exclude)
    else:
        episodes = _nearest(record, index, tenant, skill, vector, settings.recall_episodes, exclude, settings.min_similarity)
    texts = [_lesson_text(lesson) for lesson in lessons] + [_example(episode) for episode in episodes]
    kept = fit_budget(texts, count_tokens, settings.recall_tokens)
    shown_lessons = [position for position in kept if position < len(lessons)]
    # The best example stands last, next to the answer that is to be written.
    shown_episodes = [position for position in reversed(kept) if position >= len(lessons)]
    order = shown_lessons + shown_episodes
    # A tokenizer may count another order differently; what stands first and farthest goes.
    while order and count_tokens("\n".join(texts[position] for position in order)) > settings.recall_tokens:
        order.pop(0)
    if not order:
        return None
    return Recall(
        text="\n".join(texts[position] for position in order),
        lessons=tuple(lessons[position].id for position in order if position < len(lessons)),
        episodes=tuple(episodes[position - len(lessons)].id for position in order if position >= len(lessons)),
    )


def _lessons(record: Record, tenant: str, skill: str, probation: Collection[str]) -> list[Lesson]:
    if not skill:
        return []
    active = record.lessons.find(tenant, skill, LessonStatus.ACTIVE)
    trial = [lesson for lesson in record.lessons.find(tenant, skill, LessonStatus.PROBATION) if lesson.id in probation]
    return sorted(active, key=_usefulness) + sorted(trial, key=_usefulness)


def _usefulness(lesson: Lesson) -> tuple[float, str]:
    return -(lesson.helped + 1) / (lesson.helped + lesson.harmed + 2), lesson.id


def _nearest(
    record: Record, index: VectorIndex, tenant: str, skill: str, vector: Vector, wanted: int, exclude: Collection[str], least: float
) -> list[Episode]:
    """The nearest verified episodes of at least the similarity `least`; of several that say the same, the nearest."""
    if wanted == 0:
        return []
    index.follow(record, tenant)
    width, found = 8 * wanted, dict[str, Episode]()
    seen = 0
    while True:
        # Nearest first: what comes after the first one below the floor is below it too.
        hits = [hit for hit in index.search(tenant, vector, width) if hit.similarity >= least]
        fresh: Sequence[str] = [hit.id for hit in hits[seen:] if hit.id not in exclude]
        for episode in record.episodes.among(fresh, tenant=tenant, skill=skill, trainable=True):
            found.setdefault(_example(episode), episode)
        if len(found) >= wanted or len(hits) < width or width >= WIDEST:
            return list(found.values())[:wanted]
        seen, width = len(hits), min(8 * width, WIDEST)


def _latest(record: Record, tenant: str, skill: str, wanted: int, exclude: Collection[str]) -> list[Episode]:
    """The newest verified episodes, newest first, as LifelongAgentBench replays them (Zheng et al. 2025)."""
    newest = record.episodes.find(tenant=tenant, skill=skill or None, trainable=True, newest_first=True, limit=wanted + len(exclude))
    return [episode for episode in newest if episode.id not in exclude][:wanted]


def _lesson_text(lesson: Lesson) -> str:
    return f"Lesson: {_indented(lesson.text)}"


def _example(episode: Episode) -> str:
    return f"Example: {_indented(episode.task.goal)}\n-> {_indented(episode.correction or ', '.join(_deeds(episode)))}"


def _deeds(episode: Episode) -> list[str]:
    """What the agent did, without what was refused."""
    followed = zip(episode.steps, (*episode.steps[1:], None), strict=True)
    deeds = [step.text for step, after in followed if isinstance(step, Action) and not (isinstance(after, ToolResult) and after.error)]
    return deeds or [episode.answer]


def _indented(text: str) -> str:
    # Only our own marks stand at the beginning of a line; text from outside cannot imitate them.
    return neutralise("\n  ".join(text.strip().splitlines()))
