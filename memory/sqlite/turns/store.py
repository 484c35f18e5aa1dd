"""`TurnStore`: what was said, found by its words in time that does not grow with the record."""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from ....core import Episode
from ....numerics.arrays import Labels, Vector, l2_normalize
from ...turns.passages import Kind, Utterance, answering
from ...turns.terms import terms
from ...turns.times import tells_number, tells_time
from ...turns.turn import ANSWERS, NUMBER, QUESTION, TIME, IndexedTurn, Lists, Postings
from ..database import Database, json_array
from ..episodes import read_episode, read_steps
from .postings import NOWHERE, KeptPostings

POSTINGS = 2000
"""Turns looked at of one term, the newest; older ones are found by rarer words or by meaning."""
POSTINGS_IN_ALL = 10 * POSTINGS
"""Turns looked at of all terms of a question together, the rare terms first: a pasted page takes no longer than a long question."""
PAGE = 2048
"""Rows read at a time where all of a tenant's are: nobody else waits longer for the file."""
FOREVER = 1e300
"""Seconds since the epoch after every moment."""
SCALE = 127.0
"""A unit vector's entries are kept as whole numbers from -127 to 127; cosines stay right to about 0.002."""


class VectorRows(NamedTuple):
    """Some rows of a tenant as an index reads them."""

    numbers: Labels
    """Those that have an embedding, `(n,)`, oldest first."""
    vectors: Vector
    """Their embeddings, unit rows `(n, d)`."""
    last: int
    """The last row that was looked at: one that repeats another has no embedding, and is read no second time."""
    complete: bool
    """Whether no row comes after it."""


class TurnStore:
    """The turns of all tenants. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = KeptPostings(database)

    def forget(self) -> None:
        """Let go of what is kept in memory of where terms stand."""
        self._kept.forget()

    def waiting(self, limit: int) -> list[tuple[int, Episode]]:
        """The oldest episodes that are not indexed, with the numbers of their rows."""
        sql = "SELECT sequence, body FROM episodes WHERE sequence IN (SELECT episode FROM unindexed ORDER BY episode LIMIT ?) ORDER BY 1"
        return [(sequence, read_episode(body)) for sequence, body in self._database.rows(sql, (limit,))]

    def repeated(self, tenant: str, said: Sequence[Utterance]) -> list[bool]:
        """Of each passage, whether the tenant's turns hold the same saying, so that it needs no embedding of its own."""
        return [self._database.value(_STANDS_FOR, (saying_number(tenant, one),)) is not None for one in said]

    def in_context(self, sequence: int, episode: Episode, said: Sequence[Utterance]) -> list[Utterance]:
        """The passages of an episode; where the first is a few words, with the question that ended the turn before it in the session."""
        if not said or not said[0].needs_context:
            return list(said)
        tenant, session = episode.task.tenant, episode.task.session or episode.id
        sql = (
            "SELECT number FROM turns WHERE tenant = ?1 AND session = ?2 AND kind = ?3 AND position = "
            "coalesce((SELECT min(position) FROM turns WHERE episode = ?4) - 1, "
            "(SELECT max(position) FROM turns WHERE tenant = ?1 AND session = ?2))"
        )
        number = self._database.value(sql, (tenant, session, Kind.ANSWER, sequence))
        found = self.texts(tenant, [number]) if number is not None else {}
        return [answering(said[0], found[number][1]), *said[1:]] if number in found else list(said)

    def add(self, sequence: int, episode: Episode, said: Sequence[Utterance], vectors: Vector) -> None:
        """Index the passages of one episode, with their embeddings `(n, d)`, in one transaction.

        The same saying of the same speaker has one embedding and one list of terms, however often it was said. Nothing happens where
        the episode is gone, was changed since it was read, or was indexed by somebody else; it waits on where a saying that had an
        embedding (its own row is zero) was erased meanwhile.
        """
        # Not synced: an index that is lost with the machine's power is made anew, and a request's own write waits for one less.
        with suppress(_ErasedMeanwhile), self._database.transaction(synced=False) as connection:
            body = connection.execute(
                "SELECT body FROM episodes JOIN unindexed ON episode = sequence WHERE sequence = ?", (sequence,)
            ).fetchone()
            if body is None or read_episode(body[0]).steps != episode.steps:
                return
            connection.execute("DELETE FROM unindexed WHERE episode = ?", (sequence,))
            _index(connection, sequence, episode, zip(said, vectors, strict=True))

    def count(self, tenant: str) -> int:
        """How many turns of a tenant are indexed."""
        return int(self._database.value("SELECT turns FROM turn_counts WHERE tenant = ?", (tenant,)) or 0)

    def dimensions(self) -> int:
        """Length of the newest embedding; 0 where there is none."""
        return int(self._database.value("SELECT length(vector) FROM turns WHERE vector != x'' ORDER BY number DESC LIMIT 1") or 0)

    def clear(self) -> None:
        """Drop the index of all that was said, and let all of it wait to be indexed anew."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO unindexed SELECT DISTINCT episode FROM turns")
            connection.execute("DELETE FROM turns")
        self._kept.forget()

    def lists(self, tenant: str, wanted: Iterable[str]) -> Lists:
        """Where terms stand among a tenant's turns."""
        distinct = tuple(dict.fromkeys(wanted))
        counted = self._database.rows("SELECT turns, length FROM turn_counts WHERE tenant = ?", (tenant,))
        turns, length = counted[0] if counted else (0, 0)
        numbers = [term_number(tenant, term) for term in distinct]
        sql = "SELECT term, turns FROM term_counts WHERE term IN (SELECT value FROM json_each(?))"
        standing = dict(self._database.rows(sql, (json_array(numbers),)))
        frequencies = [standing.get(number, 0) for number in numbers]
        # Robertson and Sparck Jones' weight, with Lucene's one added so that it is never negative.
        weights = tuple(math.log(1 + (max(turns - n, 0) + 0.5) / (n + 0.5)) for n in frequencies)
        postings = self._postings(tenant, dict(zip(numbers, frequencies, strict=True)))
        standing_at = tuple(postings.get(number) or NOWHERE for number in numbers)
        return Lists(terms=distinct, weights=weights, postings=standing_at, average_length=length / turns if turns else 1.0)

    def _postings(self, tenant: str, frequencies: Mapping[int, int]) -> dict[int, Postings]:
        """Of each term, given in how many turns it stands, where it stands; of a frequent one the newest turns."""
        wanted: dict[int, int] = {}
        left = POSTINGS_IN_ALL
        rarest_first = sorted((term for term, turns in frequencies.items() if turns), key=lambda term: frequencies[term])
        for place, term in enumerate(rarest_first):
            # What a rare one leaves of its share is for those that are more frequent.
            wanted[term] = min(POSTINGS, left // (len(rarest_first) - place))
            left -= min(wanted[term], frequencies[term])
        return self._kept.read(tenant, frequencies, wanted)

    def get(self, tenant: str, numbers: Iterable[int], *, as_of: float | None = None, repetitions: bool = False) -> list[IndexedTurn]:
        """Turns of the tenant, in the order of session and place, each with the moment (until `as_of`) at which it was said last.

        Unknown numbers are passed over, and so are rows that repeat another, unless `repetitions` are wanted, which have no embedding.
        """
        # `+`: by their numbers, and not by reading all of the tenant's rows in this order.
        sql = (
            f"SELECT {_FIELDS} FROM turns WHERE number IN (SELECT value FROM json_each(?)) AND +tenant = ? "
            "AND (? OR vector != x'') ORDER BY session, position"
        )
        until = FOREVER if as_of is None else as_of
        rows = self._database.rows(sql, (until, json_array(set(numbers)), tenant, repetitions))
        return [
            IndexedTurn(number, session, position, speaker, _KINDS[kind], created, length, flags, vector)
            for (number, session, position, speaker, kind, created, length, flags, _), vector in zip(
                rows, _unpacked([row[-1] for row in rows]), strict=True
            )
        ]

    def around(self, tenant: str, numbers: Iterable[int], reach: int) -> set[int]:
        """Numbers of the turns at most `reach` places from some of the tenant's in their conversation, these included."""
        # In this order: each turn is looked up once, then its places.
        sql = (
            "SELECT DISTINCT beside.number FROM json_each(?) CROSS JOIN turns AS one ON one.number = value AND one.tenant = ? "
            "CROSS JOIN turns AS beside ON beside.tenant = one.tenant AND beside.session = one.session "
            "AND beside.position BETWEEN one.position - ? AND one.position + ?"
        )
        return set(self._column(sql, (json_array(set(numbers)), tenant, reach, reach)))

    def since(self, tenant: str, number: int, limit: int) -> VectorRows:
        """The next `limit` rows of a tenant after a row, oldest first."""
        sql = "SELECT number, vector FROM turns WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?"
        rows = self._database.rows(sql, (tenant, number, limit))
        numbers, vectors = _vectors([row for row in rows if row[1]])
        return VectorRows(numbers, vectors, rows[-1][0] if rows else number, len(rows) < limit)

    def sample(self, tenant: str, stride: int) -> tuple[Labels, Vector]:
        """Numbers `(n,)` and embeddings `(n, d)` of those among every so many-th of a tenant's rows that have one, oldest first."""
        chosen, last = list[int](), 0
        sql = "SELECT number FROM turns WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?"
        while page := self._column(sql, (tenant, last, PAGE * stride)):
            chosen, last = chosen + page[::stride], page[-1]
        sql = "SELECT number, vector FROM turns WHERE number IN (SELECT value FROM json_each(?)) AND vector != x'' ORDER BY number"
        pages = (chosen[start : start + PAGE] for start in range(0, len(chosen), PAGE))
        return _vectors([row for page in pages for row in self._database.rows(sql, (json_array(page),))])

    def texts(self, tenant: str, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Id of the episode and the text of each turn."""
        sql = "SELECT number, episode, step, start, stop FROM turns WHERE number IN (SELECT value FROM json_each(?)) AND +tenant = ?"
        places = self._database.rows(sql, (json_array(set(numbers)), tenant))
        sql = "SELECT sequence, body FROM episodes WHERE sequence IN (SELECT value FROM json_each(?))"
        # Each episode is read once: a long one holds many turns.
        bodies = self._database.rows(sql, (json_array({episode for _, episode, *_ in places}),))
        wanted: dict[int, set[int]] = {}
        for _, sequence, step, *_ in places:
            wanted.setdefault(sequence, set()).add(step)
        episodes = {sequence: read_steps(body, wanted[sequence]) for sequence, body in bodies}
        return {
            number: (episodes[sequence][0], episodes[sequence][1][step].text[start:stop])
            for number, sequence, step, start, stop in places
            if sequence in episodes
        }

    def statements(self, tenant: str, limit: int) -> list[int]:
        """Numbers of the newest things that people stated, newest first; of what was said again, the first."""
        sql = "SELECT number FROM turns WHERE tenant = ? AND kind = ? AND vector != x'' ORDER BY number DESC LIMIT ?"
        return self._column(sql, (tenant, Kind.STATEMENT, limit))

    def of_episode(self, tenant: str, episode: str) -> list[int]:
        """Numbers of the turns of an episode, in their order."""
        sql = "SELECT number FROM turns JOIN episodes ON sequence = turns.episode WHERE id = ? AND turns.tenant = ? ORDER BY position"
        return self._column(sql, (episode, tenant))

    def moments(self, tenant: str, number: int) -> list[float]:
        """When a turn's speaker said the same, oldest first, in seconds since the epoch."""
        return self._column(f"SELECT created FROM turns WHERE {_SAME} ORDER BY created", (number, tenant))

    def episodes_of(self, tenant: str, number: int) -> list[str]:
        """Ids of the episodes in which a turn's speaker said the same, oldest first."""
        sql = f"SELECT DISTINCT id FROM turns JOIN episodes ON sequence = turns.episode WHERE {_SAME} ORDER BY sequence"
        return self._column(sql, (number, tenant))

    def times_shown(self, episode: str) -> int:
        """In how many prompts an episode has stood."""
        return int(self._database.value("SELECT count(*) FROM shown WHERE cited = ?", (episode,)))

    def _column(self, sql: str, values: Sequence[object]) -> list[Any]:
        return [value for (value,) in self._database.rows(sql, values)]

    def newest(self, tenant: str, limit: int, speaker: str = "") -> list[int]:
        """Numbers of the newest turns, newest first, of one speaker where named."""
        sql = "SELECT number FROM turns WHERE tenant = ? AND (? = '' OR speaker = ?) ORDER BY number DESC LIMIT ?"
        return [number for (number,) in self._database.rows(sql, (tenant, speaker, speaker, limit))]


def _index(connection: sqlite3.Connection, sequence: int, episode: Episode, said: Iterable[tuple[Utterance, Vector]]) -> None:
    tenant, session = episode.task.tenant, episode.task.session or episode.id
    # What rewrites the steps of an episode takes its turns away, so that those which are there are right.
    rows = connection.execute("SELECT step, start, number, position, flags FROM turns WHERE episode = ?", (sequence,))
    there = {(step, start): (number, position, flags) for step, start, number, position, flags in rows}
    sql = "SELECT coalesce(max(position) + 1, 0) FROM turns WHERE tenant = ? AND session = ?"
    next_place = connection.execute(sql, (tenant, session)).fetchone()[0]
    for offset, (passage, vector) in enumerate(said):
        saying = saying_number(tenant, passage)
        repeated = connection.execute(_STANDS_FOR, (saying,)).fetchone() is not None
        position = next_place + offset
        if there:
            row = there.get((passage.step, passage.start))
            if row is None or (repeated and not row[2] & ANSWERS):
                continue
            # The row that stood for this saying was erased, or the question that it answers: this one takes its place, under a new number
            # that every index reads anew.
            number, position, _ = row
            connection.execute("DELETE FROM turns WHERE number = ?", (number,))
            repeated = connection.execute(_STANDS_FOR, (saying,)).fetchone() is not None
        if not repeated and not vector.any():
            raise _ErasedMeanwhile
        _insert(connection, (sequence, tenant, session, position), passage, None if repeated else vector, episode.created)


class _ErasedMeanwhile(Exception):
    """The row that stood for a saying was erased after it was looked for: the episode has to be read again."""


_SAME = (
    "turns.number IN (SELECT number FROM turns WHERE number = ?1 AND +tenant = ?2 "
    "UNION SELECT other.number FROM turns AS one CROSS JOIN turns AS other ON other.saying = one.saying AND other.saying != 0 "
    "AND +other.tenant = one.tenant WHERE one.number = ?1 AND +one.tenant = ?2)"
)
"""The rows of a tenant that say the same as one of them, itself among them."""
_STANDS_FOR = "SELECT number FROM turns WHERE saying = ? AND saying != 0 AND vector != x'' ORDER BY created LIMIT 1"
"""The row with the embedding and the terms of a saying; the other rows that repeat it have none."""
_LATEST = (
    "coalesce((SELECT max(again.created) FROM turns AS again WHERE again.saying = turns.saying AND again.saying != 0 "
    "AND again.created <= ?), created)"
)
"""When it was said last, up to a moment."""
_KINDS = {kind.value: kind for kind in Kind}
_FIELDS = f"number, session, position, speaker, kind, {_LATEST}, length, flags, vector"


def _insert(
    connection: sqlite3.Connection, place: tuple[int, str, str, int], passage: Utterance, vector: Vector | None, created: float
) -> None:
    sequence, tenant, session, position = place
    counts = Counter([*terms(passage.asked), *terms(passage.text)])
    flags = QUESTION * (passage.kind is Kind.QUESTION) | TIME * tells_time(passage.text) | NUMBER * tells_number(passage.text)
    flags |= ANSWERS * bool(passage.asked)
    row = connection.execute(
        "INSERT INTO turns (episode, tenant, session, position, step, start, stop, speaker, kind, created, length, flags, vector, saying) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sequence, tenant, session, position, passage.step, passage.start, passage.stop, passage.speaker, passage.kind, created,
            counts.total(), flags, b"" if vector is None else _packed(vector), saying_number(tenant, passage),
        ),
    ).lastrowid  # fmt: skip
    if vector is None:
        return
    numbered: Counter[int] = Counter()
    for term, count in counts.items():
        numbered[term_number(tenant, term)] += count
    connection.executemany("INSERT INTO turn_terms VALUES (?, ?, ?)", [(term, row, count) for term, count in numbered.items()])


def saying_number(tenant: str, passage: Utterance) -> int:
    """64 bits that stand for what a speaker said, whatever the case and the spaces; never 0, which older rows have."""
    return term_number(tenant, f"{passage.kind}\0{passage.speaker}\0{_plain(passage.asked)}\0{_plain(passage.text)}") or 1


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def term_number(tenant: str, term: str) -> int:
    """64 bits that stand for a term of a tenant, as SQLite keeps integers."""
    digest = hashlib.blake2b(f"{tenant}\0{term}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _vectors(rows: Sequence[tuple[int, bytes]]) -> tuple[Labels, Vector]:
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    return numbers, _matrix([blob for _, blob in rows])


def _packed(vector: Vector) -> bytes:
    return bytes(np.clip(np.rint(vector * SCALE), -SCALE, SCALE).astype(np.int8).tobytes())


def _unpacked(blobs: Sequence[bytes]) -> list[Vector]:
    """Unit rows `(d,)`; an empty one where nothing is packed."""
    if len(set(map(len, blobs))) == 1:
        return list(_matrix(blobs))
    return [_matrix([blob])[0] for blob in blobs]


def _matrix(blobs: Sequence[bytes]) -> Vector:
    """Unit rows `(n, d)` of blobs of one length."""
    packed = np.frombuffer(b"".join(blobs), dtype=np.int8).reshape(len(blobs), len(blobs[0])).astype(np.float32)
    return np.asarray(l2_normalize(packed), dtype=np.float32)
