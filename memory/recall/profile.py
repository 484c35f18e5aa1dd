"""A short profile of a person: what stands, taken word for word from what was said, each line with the turn that it cites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...numerics.arrays import Vector
from ..turns.passages import ROLES, Kind
from ..turns.times import moment
from ..turns.turn import IndexedTurn
from .matter import same_matter
from .recall import neutralise
from .standing import Topic, standing

if TYPE_CHECKING:
    from ..sqlite.record import Record

READ = 20_000
"""Statements read for a profile, the newest."""
BATCH = 512
"""Texts read at once."""
MOST = 16
"""Lines of a profile."""
RELATED = 0.3
"""Cosine below which a statement takes no other's place, and is not compared word by word."""
SAME = 0.93
"""Cosine from which on two statements say the same."""


@dataclass(frozen=True, kw_only=True)
class ProfileLine:
    """One thing that is known of a person."""

    text: str
    """In the words of whoever said it."""
    topic: Topic
    """What it is about."""
    since: float
    """When it was said last, in seconds since the epoch."""
    speaker: str
    """`user`, or a name."""
    episode: str
    """The episode that holds it."""
    number: int
    """The turn."""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """One statement, as a profile is chosen from."""

    turn: IndexedTurn
    """The turn with its embedding."""
    text: str
    """What was said."""


@dataclass(frozen=True, kw_only=True)
class ChosenLine:
    """A turn that is a line of a profile."""

    number: int
    """The turn."""
    topic: Topic
    """What the foremost of its sentences is about."""
    sentences: int
    """Which of its standing sentences still hold: bit 0 for the first."""


def choose_lines(stated: Sequence[Stated], pinned: set[int], most: int = MOST) -> list[ChosenLine]:
    """The turns of a profile, the foremost first: what is pinned, names, preferences, facts, of each the newest first.

    What was said anew on the same matter takes the place of what was said before, whether or not it stands itself.
    """
    # Newest first: only what comes before another one here can take its place.
    ordered = sorted(stated, key=lambda one: (one.turn.created, one.turn.number), reverse=True)
    if not ordered:
        return []
    vectors = np.stack([one.turn.vector for one in ordered])
    found: list[tuple[Topic, int, ChosenLine]] = []
    for place, one in enumerate(ordered):
        line = _line(one, one.turn.number in pinned, ordered[:place], vectors[:place])
        if line is not None:
            found.append((line.topic, place, line))
    kept: list[ChosenLine] = []
    rows: list[int] = []
    for _, place, line in sorted(found, key=lambda one: one[:2]):
        if len(kept) < most and not any(float(vectors[place] @ vectors[other]) >= SAME for other in rows):
            kept.append(line)
            rows.append(place)
    return kept


def _line(one: Stated, pinned: bool, later: Sequence[Stated], vectors: Vector) -> ChosenLine | None:
    """What still holds of a statement, later ones `(n)` with embeddings `(n, d)` considered; None where nothing does."""
    if pinned:
        return ChosenLine(number=one.turn.number, topic=Topic.PINNED, sentences=0)
    found = standing(one.text)
    if not found:
        return None
    cosines = vectors @ one.turn.vector if later else np.zeros(0)
    near = [
        (later[row].text, float(cosines[row]))
        for row in np.flatnonzero(cosines >= RELATED).tolist()
        if later[row].turn.speaker == one.turn.speaker and cosines[row] < SAME
    ]
    holds = [place for place, (_, text) in enumerate(found) if not any(same_matter(text, other, cosine) for other, cosine in near)]
    if not holds:
        return None
    return ChosenLine(number=one.turn.number, topic=min(found[place][0] for place in holds), sentences=sum(1 << place for place in holds))


def write_profile(record: Record, tenant: str) -> int:
    """Choose a tenant's profile anew from what is indexed; returns how many lines it has. Linear in the statements, at most `READ`."""
    lines = choose_lines(read_stated(record, tenant, record.turns.statements(tenant, READ)), record.profiles.pinned(tenant))
    _write(record, tenant, lines)
    return len(lines)


def drop_superseded(record: Record, tenant: str, numbers: Sequence[int]) -> None:
    """Take out of a profile what the new turns `numbers` say otherwise: between two nights nothing old is shown as if it still held."""
    lines = record.profiles.lines(tenant)
    new = [one for one in read_stated(record, tenant, numbers) if one.turn.kind is Kind.STATEMENT] if lines else []
    if not new:
        return
    vectors = np.stack([one.turn.vector for one in new])
    old = {one.turn.number: one for one in read_stated(record, tenant, [number for number, _, _ in lines])}
    kept: list[ChosenLine] = []
    for number, topic, sentences in lines:
        line = _line(old[number], topic == Topic.PINNED, new, vectors) if number in old else None
        if line is not None:
            # What did not hold any more before does not hold again.
            kept.append(ChosenLine(number=number, topic=line.topic, sentences=line.sentences & sentences))
    left = [line for line in kept if line.sentences or line.topic is Topic.PINNED]
    if [(line.number, line.topic, line.sentences) for line in left] != lines:
        _write(record, tenant, left)


def _write(record: Record, tenant: str, lines: Sequence[ChosenLine]) -> None:
    record.profiles.write(tenant, [(line.number, int(line.topic), line.sentences) for line in lines])


def read_profile(record: Record, tenant: str) -> list[ProfileLine]:
    """What is known of a person, the foremost first."""
    lines = record.profiles.lines(tenant)
    if not lines:
        return []
    numbers = [number for number, _, _ in lines]
    texts = record.turns.texts(tenant, numbers)
    turns = {turn.number: turn for turn in record.turns.get(tenant, numbers)}
    return [
        ProfileLine(
            text=_text_of(texts[number][1], sentences),
            topic=Topic(topic),
            since=turns[number].created,
            speaker=turns[number].speaker,
            episode=texts[number][0],
            number=number,
        )
        for number, topic, sentences in lines
        if number in turns and number in texts
    ]


def _text_of(text: str, sentences: int) -> str:
    return " ".join(one for place, (_, one) in enumerate(standing(text)) if sentences >> place & 1) or text.strip()


def profile_text(line: ProfileLine) -> str:
    """A line as a prompt shows it: of whom, since when, and what was said.

    >>> profile_text(ProfileLine(text="I live in Ulm.", topic=Topic.FACT, since=0.0, speaker="user", episode="e", number=1))
    'The user said, 1970-01-01: I live in Ulm.'
    """
    who = "The user" if line.speaker in ROLES else line.speaker
    return neutralise(f"{' '.join(who.split())} said, {moment(line.since)}: {' '.join(line.text.split())}")


def read_stated(record: Record, tenant: str, numbers: Sequence[int]) -> list[Stated]:
    """Turns with their texts."""
    found: list[Stated] = []
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        texts = record.turns.texts(tenant, some)
        found += [Stated(turn=turn, text=texts[turn.number][1]) for turn in record.turns.get(tenant, some) if turn.number in texts]
    return found
