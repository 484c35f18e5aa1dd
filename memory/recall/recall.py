"""What memory adds to a prompt: lessons, then the nearest verified episodes, inside a token budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from ...core import Action, Episode, Judge, Lesson, LessonStatus, Recall, ToolResult, read_reply
from ...core.settings import MemorySettings
from ...numerics.arrays import Vector
from ..index.vector_index import VectorIndex

if TYPE_CHECKING:
    from ..sqlite.record import Record

WIDEST = 4096
"""Most neighbours looked at in search of verified ones."""
BATCH = 16
"""Episodes read at once."""
MOST_READ = 512
"""Verified episodes read for one request; many that say the same never fill the places."""
MOST_CHARACTERS = 1_000_000
"""Characters of their texts after which no more are read."""
LONGEST_TOKEN = 8
"""Characters of one token, on the average of a text, that no tokenizer exceeds: what is longer than the budget's tokens cannot fit it."""
CUT = " [...]"
"""Stands where a text that is too long was cut."""

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
    near_only: bool = False,
    tools: Collection[str] = (),
) -> Recall | None:
    """A `Recall` step for a task with embedding `vector` `(d,)`, or None when there is nothing to show.

    Lessons of the skill come first: all active ones, the most helpful before the others, then those on probation whose
    ids the caller allows by `probation`. Then verified episodes of the skill (of the tenant where `skill` is empty), without
    those in `exclude`: the nearest, or the latest where the settings say so. A question that a user has corrected or confirmed and
    that is asked again, in the same or other words, is shown alone: other examples beside it mislead a small model. With
    `near_only` no other episode is shown at all. Where the request may call `tools`, an episode that called others is not shown: it cannot
    be followed. Draws nothing: same record, same step.
    """
    if settings.recall == "off":
        return None
    lessons = _lessons(record, tenant, skill, probation)
    if settings.recall == "latest" and not near_only:
        newest = _latest(record, tenant, skill, settings.recall_episodes, exclude)
        episodes = [episode for episode in newest if calls_only(_said(episode)[1], tools)]
    else:
        episodes = _nearest(record, index, tenant, skill, vector, settings, exclude, near_only, tools)
    most = LONGEST_TOKEN * settings.recall_tokens
    texts = [_lesson_text(lesson, most) for lesson in lessons] + [example(episode, most) for episode in episodes]
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
    record: Record,
    index: VectorIndex,
    tenant: str,
    skill: str,
    vector: Vector,
    settings: MemorySettings,
    exclude: Collection[str],
    near_only: bool,
    tools: Collection[str],
) -> list[Episode]:
    """The nearest verified episodes that are near enough; of several that say the same, the nearest."""
    wanted = settings.recall_episodes
    if wanted == 0:
        return []
    index.follow(record, tenant)
    least = settings.near_similarity if near_only else settings.min_similarity
    width, found = 8 * wanted, dict[tuple[str, str], Episode]()
    seen, reader = 0, _Reader(record, tenant, skill, tools)
    while True:
        # Nearest first: what comes after the first one below the least similarity is below it too.
        hits = index.search(record, tenant, vector, width, least=least, skip=seen)
        similarity = {hit.id: hit.similarity for hit in hits if hit.id not in exclude}
        fresh = reader.read(list(similarity))
        if seen == 0 and (again := _asked_again([one for one in fresh if similarity[one.id] >= settings.near_similarity])):
            return [again]
        if near_only:
            # One look: a skill that its environment judges has nothing to be found further away.
            return []
        for episode in fresh:
            found.setdefault(_said(episode), episode)
        seen += len(hits)
        if len(found) >= wanted or seen < width or width >= WIDEST or reader.spent:
            return list(found.values())[:wanted]
        width = min(8 * width, WIDEST)


class _Reader:
    """Reads verified episodes for one request, and no more than a request may cost."""

    def __init__(self, record: Record, tenant: str, skill: str, tools: Collection[str]) -> None:
        self._record, self._tenant, self._skill, self._tools = record, tenant, skill, tools
        self._episodes = self._characters = 0

    @property
    def spent(self) -> bool:
        """Whether nothing more is read."""
        return self._episodes >= MOST_READ or self._characters >= MOST_CHARACTERS

    def read(self, ids: Sequence[str]) -> list[Episode]:
        """Those of `ids` that are verified and can be followed, in their order, as far as the request goes."""
        found: list[Episode] = []
        for start in range(0, len(ids), BATCH):
            if self.spent:
                break
            some = self._record.episodes.get_many(ids[start : start + BATCH], tenant=self._tenant, skill=self._skill, trainable=True)
            found += [episode for episode in some if calls_only(_said(episode)[1], self._tools)]
            self._episodes += len(some)
            self._characters += sum(len(episode.correction) + sum(len(step.full_text) for step in episode.steps) for episode in some)
        return found


def _asked_again(near: Sequence[Episode]) -> Episode | None:
    """Of episodes nearest first, the nearest question that a user corrected or confirmed, with the user's last word on it."""
    theirs = [episode for episode in near if _from_user(episode)]
    return max((one for one in theirs if one.task.text == theirs[0].task.text), key=lambda one: one.created, default=None)


def _from_user(episode: Episode) -> bool:
    return bool(episode.correction) or episode.outcome.judge is Judge.USER


def _latest(record: Record, tenant: str, skill: str, wanted: int, exclude: Collection[str]) -> list[Episode]:
    """The newest verified episodes, newest first, as LifelongAgentBench replays them (Zheng et al. 2025)."""
    newest = record.episodes.find(tenant=tenant, skill=skill or None, trainable=True, newest_first=True, limit=wanted + len(exclude))
    return [episode for episode in newest if episode.id not in exclude][:wanted]


def _lesson_text(lesson: Lesson, most: int) -> str:
    return f"Lesson: {_indented(lesson.text, most)}"


def example(episode: Episode, most: int) -> str:
    """How a past run is shown: its task, and what was right, of each at most so many characters."""
    goal, right = _said(episode)
    return f"Example: {_indented(goal, most)}\n-> {_indented(right, most)}"


def calls_only(answer: str, tools: Collection[str]) -> bool:
    """Whether an answer calls no tools but these; where there are none, nothing is known of what may be called.

    What calls a tool that is not there cannot be followed, and a small model that tries to copies its arguments, call after call.
    """
    return not tools or all(call["function"]["name"] in tools for call in read_reply(answer)[1])


def _said(episode: Episode) -> tuple[str, str]:
    return episode.task.goal.strip(), (episode.correction or ", ".join(_deeds(episode))).strip()


def _deeds(episode: Episode) -> list[str]:
    """What the agent did, without what was refused."""
    followed = zip_longest(episode.steps, episode.steps[1:])
    deeds = [step.reply for step, after in followed if isinstance(step, Action) and not (isinstance(after, ToolResult) and after.error)]
    return deeds or [episode.answer]


def _indented(text: str, most: int) -> str:
    # Cut before anything looks at it: what a request costs does not grow with what was stored.
    text = text.strip()
    shown = text if len(text) <= most else text[:most] + CUT
    # Only our own marks stand at the beginning of a line; text from outside cannot imitate them.
    return neutralise("\n  ".join(shown.splitlines()))
