"""`search`: what was said that a question needs, with the reason for each hit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...numerics.arrays import Floats, Labels, Vector
from ..turns.passages import ROLES, Kind, own_words
from ..turns.sentences import last_question
from ..turns.terms import terms, words
from ..turns.times import asks_number, asks_time, fit, period_of
from ..turns.turn import ANSWERS, NUMBER, QUESTION, TIME, IndexedTurn, Lists, Postings
from ..turns.variants import is_german, widened
from .fusion import Weights, ranked, shipped
from .matter import same_matter
from .signals import SATURATION, Candidates

if TYPE_CHECKING:
    from ..index.turn_index import TurnIndex
    from ..sqlite.record import Record

BY_WORDS = 60
BY_MEANING = 60
"""Candidates that words and meaning bring, each; their neighbours join them."""
SPAN = 1 << 16
"""Numbers of turns for which a place each is made where words are counted."""
REACH = 2
"""How far a candidate's neighbours reach."""
SPARE = 3
"""Times as many hits are read as are wanted."""
LEAST_SHARE = 0.25
"""Share of an older statement's probability from which on a newer one on the same matter is shown before it."""
ASKED = 2000
"""Characters of a question that are read; of a longer one the two ends, where the request stands."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One thing that was said."""

    text: str
    """In the words of whoever said it."""
    speaker: str
    """`user`, `assistant`, or a tool's name."""
    kind: Kind
    """Statement, question, answer of the model, result of a tool."""
    session: str
    """The conversation in which it was said."""
    episode: str
    """The episode that holds it; forgetting that one forgets it."""
    created: float
    """When it was said, in seconds since the epoch."""
    probability: float
    """How probable it is that the question needs it, in (0, 1)."""
    why: str
    """Which signals brought it."""
    superseded: bool = False
    """Whether its speaker said something later on the same matter that was found too."""
    number: int = 0
    """By which it is named: `lifelong memory show NUMBER`."""
    asked: str = ""
    """The assistant's question before it, where it is too short to be understood alone."""


def search(
    record: Record,
    index: TurnIndex,
    question: str,
    vector: Vector,
    *,
    tenant: str,
    limit: int,
    now: float,
    as_of: float | None = None,
    floor: float = 0.0,
    kinds: Collection[Kind] = tuple(Kind),
    exclude_session: str = "",
    weights: Weights | None = None,
    sought: str | None = None,
) -> list[Memory]:
    """The tenant's turns that a question with embedding `vector` `(d,)` needs, the most probable first.

    `as_of` leaves out what was said later; `floor` leaves out what is less probable. What one request costs does not grow with the
    record: at most `BY_WORDS` and `BY_MEANING` turns with their neighbours are looked at.
    `sought` is the question's `sought_part`, which takes milliseconds of a long text, where the caller has it.
    """
    sought = sought_part(question) if sought is None else sought
    turns, lists = gather(record, index, question, vector, tenant=tenant, as_of=as_of, sought=sought)
    turns = [turn for turn in turns if turn.session != exclude_session and (as_of is None or turn.created <= as_of)]
    if not turns:
        return []
    one = candidates(question, vector, turns, lists, now if as_of is None else as_of, sought=sought)
    values, scores = ranked(one, weights := weights or shipped())
    # What is not wanted takes no chance from what is: a question asked before is no rival of its answer.
    wanted = np.array([row for row in np.argsort(-scores, kind="stable").tolist() if turns[row].kind in kinds], dtype=np.int64)
    if not len(wanted):
        return []
    chances = dict(zip(wanted.tolist(), weights.probability(one, values[wanted], scores[wanted]).tolist(), strict=True))
    # Some more than are wanted, since several may say the same.
    rows = [row for row, chance in chances.items() if chance >= floor][: SPARE * limit]
    answered = {row: row - 1 for row in rows if row and _answers(turns[row - 1], turns[row])}
    texts = record.turns.texts(tenant, [turns[row].number for row in {*rows, *answered.values()}])
    rows = _distinct(turns, _answering(turns, rows, texts, frozenset(terms(sought))), texts, limit)
    anew = _superseded(turns, rows, {row: texts[turns[row].number][1] for row in rows})
    return [
        Memory(
            text=texts[turns[row].number][1],
            speaker=turns[row].speaker,
            kind=turns[row].kind,
            session=turns[row].session,
            episode=texts[turns[row].number][0],
            created=turns[row].created,
            probability=chances[row],
            why=_why(weights.reasons(values, row), lists, turns[row]),
            superseded=row in anew,
            number=turns[row].number,
            asked=last_question(texts.get(turns[answered[row]].number, ("", ""))[1]) if row in answered else "",
        )
        for row in _newer_first(rows, anew, chances)
    ]


def _answering(
    turns: Sequence[IndexedTurn], rows: Sequence[int], texts: Mapping[int, tuple[str, str]], question: frozenset[str]
) -> list[int]:
    """Rows that are there still; the question itself, asked before, answers nothing."""
    there = [row for row in rows if turns[row].number in texts]
    return [row for row in there if turns[row].kind is not Kind.QUESTION or _terms(texts, turns[row]) != question]


def sought_part(question: str) -> str:
    """What of a request is sought: its asker's own words, of very many the two ends."""
    own = own_words(question)
    return own if len(own) <= ASKED else f"{own[: ASKED // 2]}\n{own[-ASKED // 2 :]}"


def gather(
    record: Record,
    index: TurnIndex,
    question: str,
    vector: Vector,
    *,
    tenant: str,
    as_of: float | None = None,
    sought: str | None = None,
) -> tuple[list[IndexedTurn], Lists]:
    """The turns that words and meaning bring with their neighbours, in the order of session and place; and where the words stand."""
    sought = sought_part(question) if sought is None else sought
    lists = record.turns.lists(tenant, terms(sought))
    if is_german(sought):
        lists = widened(lists, partial(record.turns.lists, tenant))
    found = _by_words(lists) | set(index.nearest(record, tenant, vector, BY_MEANING))
    return record.turns.get(tenant, record.turns.around(tenant, found, REACH), as_of=as_of), lists


def candidates(
    question: str, vector: Vector, turns: Sequence[IndexedTurn], lists: Lists, now: float, *, sought: str | None = None
) -> Candidates:
    """Turns in the order of session and place, and what a question asks of them, as `signals` takes them."""
    question = sought_part(question) if sought is None else sought
    asked = words(question)
    # By columns: hundreds of turns, each looked at once.
    rows, sessions, positions, spoken, _, created, lengths, marks, embeddings = zip(*turns, strict=True)
    folded = {name: name.casefold() for name in set(spoken)}
    speakers = set(folded.values()) - ROLES
    named = [name for name in speakers if name in asked]
    # A speaker's name says who is meant and is no word that is sought, where it is known as a speaker.
    of_names = {term for name in speakers for term in terms(name)}
    counted = [place for place, term in enumerate(lists.terms) if term not in of_names]
    meant = {name: (1.0 if plain == named[0] else -1.0) if len(named) == 1 else 0.0 for name, plain in folded.items()}
    numbers = {session: place for place, session in enumerate(dict.fromkeys(sessions))}
    period = period_of(question, now)
    flags = np.array(marks)
    vectors = np.concatenate(embeddings).reshape(len(turns), -1).astype(np.float64)
    return Candidates(
        asked=np.array([lists.weights[place] for place in counted]),
        found=_occurrences(rows, [lists.postings[place] for place in counted]),
        similarity=vectors @ vector.astype(np.float64),
        vectors=vectors,
        session=np.array(list(map(numbers.__getitem__, sessions)), dtype=np.int64),
        position=np.array(positions, dtype=np.int64),
        length=np.array(lengths, dtype=np.float64),
        average_length=lists.average_length,
        question=((flags & QUESTION) > 0).astype(np.float64),
        tells_time=((flags & TIME) > 0).astype(np.float64),
        tells_number=((flags & NUMBER) > 0).astype(np.float64),
        named=np.array([meant[name] for name in spoken]),
        period=np.array([fit(moment, period) for moment in created]) if period else np.zeros(len(turns)),
        asks_time=asks_time(question),
        asks_number=asks_number(question),
    )


def _occurrences(rows: Sequence[int], postings: Sequence[Postings]) -> Floats:
    """How often each term stands in each of some turns, by their numbers, `(turns, terms)`."""
    numbers = np.array(rows, dtype=np.int64)
    columns = [one.of(numbers).astype(np.float64) for one in postings]
    return np.stack(columns, axis=1) if columns else np.zeros((len(numbers), 0))


def _by_words(lists: Lists) -> set[int]:
    """The turns that hold the most of what is asked, the rare words counting for more."""
    turns, gained = _gained(lists)
    if len(turns) > BY_WORDS:
        # No turn that gains less than the last of them comes in; of those that gain as much, the newest do.
        enough = gained >= np.partition(gained, -BY_WORDS)[-BY_WORDS]
        turns, gained = turns[enough], gained[enough]
    return set(turns[np.lexsort((-turns, -gained))[:BY_WORDS]].tolist())


def _gained(lists: Lists) -> tuple[Labels, Floats]:
    """The turns in which any term stands, ascending, `(n,)`, and what the terms there are worth together, `(n,)`."""
    standing = [(one, weight) for one, weight in zip(lists.postings, lists.weights, strict=True) if len(one)]
    if not standing:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    first = min(int(one.turns[0]) for one, _ in standing)
    span = max(int(one.turns[-1]) for one, _ in standing) + 1 - first
    if span > SPAN:
        numbers = np.unique(np.concatenate([one.turns for one, _ in standing]))
        places = [numbers.searchsorted(one.turns) for one, _ in standing]
    else:
        # Sorting all of them takes longer than a place for every number between the first and the last.
        numbers = np.arange(first, first + span)
        places = [one.turns - first for one, _ in standing]
    gained = np.zeros(len(numbers))
    for place, (one, weight) in zip(places, standing, strict=True):
        # Each turn stands once in a list, so that none is added to twice.
        gained[place] += weight * one.counts / (one.counts + SATURATION)
    found = np.flatnonzero(gained)
    return numbers[found], gained[found]


def _distinct(turns: Sequence[IndexedTurn], rows: Sequence[int], texts: Mapping[int, tuple[str, str]], limit: int) -> list[int]:
    """The first `limit` rows that do not say the same, word for word; of several that do, the newest stands for all."""
    kept: dict[tuple[str, frozenset[str]], int] = {}
    for row in rows:
        said = turns[row].speaker, _terms(texts, turns[row])
        if said in kept:
            if _is_later(turns[row], turns[kept[said]]):
                kept[said] = row
        elif len(kept) < limit:
            kept[said] = row
    return list(kept.values())


def _terms(texts: Mapping[int, tuple[str, str]], turn: IndexedTurn) -> frozenset[str]:
    return frozenset(terms(texts[turn.number][1]))


def _superseded(turns: Sequence[IndexedTurn], rows: Sequence[int], texts: Mapping[int, str]) -> dict[int, list[int]]:
    """Rows of statements whose speaker stated something later on the same matter, each with the rows of that."""
    stated = [row for row in rows if turns[row].kind is Kind.STATEMENT]
    anew: dict[int, list[int]] = {}
    for row in stated:
        for other in stated:
            if (
                turns[other].speaker == turns[row].speaker
                and _is_later(turns[other], turns[row])
                and same_matter(texts[row], texts[other], float(turns[other].vector @ turns[row].vector))
            ):
                anew.setdefault(row, []).append(other)
    return anew


def _newer_first(rows: Sequence[int], anew: Mapping[int, Sequence[int]], chances: Mapping[int, float]) -> list[int]:
    """The rows with what was said anew right before what it supersedes, where that is not much less probably needed; nothing moves back.

    Whether two statements are on one matter is itself only probable, and much that is taken for superseded is needed all the same.
    """
    places = {row: float(place) for place, row in enumerate(rows)}
    # The places of the older ones first: what supersedes several stands before the first of them.
    for row in rows:
        for other in anew.get(row, ()):
            if chances[other] >= LEAST_SHARE * chances[row]:
                places[other] = min(places[other], places[row])
    return sorted(rows, key=lambda row: (places[row], len(anew.get(row, ())), rows.index(row)))


def _is_later(one: IndexedTurn, other: IndexedTurn) -> bool:
    """Whether one was said after the other: within a conversation its place tells, whatever the clock did."""
    if one.session == other.session:
        return one.position > other.position
    return (one.created, one.number) > (other.created, other.number)


def _answers(before: IndexedTurn, turn: IndexedTurn) -> bool:
    """Whether a turn was indexed with the question with which the one before it ends."""
    return bool(turn.flags & ANSWERS) and before.session == turn.session and before.position == turn.position - 1


def _why(reasons: dict[str, float], lists: Lists, turn: IndexedTurn) -> str:
    """The kinds of signals that brought a turn, and the words that it shares with the question."""
    kinds = [kind for kind, gain in reasons.items() if gain > 0 and kind != "words"][:3]
    shared = [term for term, postings in zip(lists.terms, lists.postings, strict=True) if turn.number in postings]
    return ", ".join([f"words ({', '.join(shared[:5])})", *kinds] if shared else kinds) or "nothing in particular"
