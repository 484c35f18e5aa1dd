"""`TurnStore`: what was said, found by its words in time that does not grow with the record."""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ....core import Episode
from ....numerics.arrays import Labels, Vector, l2_normalize
from ...turns.passages import Kind, Utterance
from ...turns.terms import terms
from ...turns.times import tells_number, tells_time
from ...turns.turn import NUMBER, QUESTION, TIME, IndexedTurn, Lists
from ..database import Database, json_array
from ..episodes import read_episode

POSTINGS = 2000
"""Turns read of one term, the newest; older ones are found by rarer words or by meaning."""
SCALE = 127.0
"""A unit vector's entries are kept as whole numbers from -127 to 127; cosines stay right to about 0.002."""


class TurnStore:
    """The turns of all tenants. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> list[tuple[int, Episode]]:
        """The oldest episodes that are not indexed, with the numbers of their rows."""
        sql = "SELECT sequence, body FROM episodes WHERE sequence IN (SELECT episode FROM unindexed ORDER BY episode LIMIT ?) ORDER BY 1"
        return [(sequence, read_episode(body)) for sequence, body in self._database.rows(sql, (limit,))]

    def add(self, sequence: int, episode: Episode, said: Sequence[Utterance], vectors: Vector) -> None:
        """Index the passages of one episode, with their embeddings `(n, d)`, in one transaction.

        Nothing happens where the episode is gone, was changed since it was read, or was indexed by somebody else.
        """
        tenant, session = episode.task.tenant, episode.task.session or episode.id
        with self._database.transaction() as connection:
            body = connection.execute(
                "SELECT body FROM episodes JOIN unindexed ON episode = sequence WHERE sequence = ?", (sequence,)
            ).fetchone()
            if body is None or read_episode(body[0]).steps != episode.steps:
                return
            connection.execute("DELETE FROM unindexed WHERE episode = ?", (sequence,))
            # What rewrites the steps of an episode takes its turns away, so that those which are there are right.
            if connection.execute("SELECT 1 FROM turns WHERE episode = ?", (sequence,)).fetchone():
                return
            place = connection.execute(
                "SELECT coalesce(max(position) + 1, 0) FROM turns WHERE tenant = ? AND session = ?", (tenant, session)
            ).fetchone()[0]
            for offset, (passage, vector) in enumerate(zip(said, vectors, strict=True)):
                _insert(connection, (sequence, tenant, session, place + offset), passage, vector, episode.created)

    def count(self, tenant: str) -> int:
        """How many turns of a tenant are indexed."""
        return int(self._database.value("SELECT turns FROM turn_counts WHERE tenant = ?", (tenant,)) or 0)

    def lists(self, tenant: str, wanted: Iterable[str]) -> Lists:
        """Where terms stand among a tenant's turns."""
        distinct = tuple(dict.fromkeys(wanted))
        counted = self._database.rows("SELECT turns, length FROM turn_counts WHERE tenant = ?", (tenant,))
        turns, length = counted[0] if counted else (0, 0)
        sql = "SELECT turn, count FROM turn_terms WHERE term = ? ORDER BY turn DESC LIMIT ?"
        counts = tuple(dict(self._database.rows(sql, (term_number(tenant, term), POSTINGS))) for term in distinct)
        frequencies = [self._frequency(tenant, term, len(found)) for term, found in zip(distinct, counts, strict=True)]
        # Robertson and Sparck Jones' weight, with Lucene's one added so that it is never negative.
        weights = tuple(math.log(1 + (max(turns - n, 0) + 0.5) / (n + 0.5)) for n in frequencies)
        return Lists(terms=distinct, weights=weights, counts=counts, average_length=length / turns if turns else 1.0)

    def _frequency(self, tenant: str, term: str, read: int) -> int:
        if read < POSTINGS:
            return read
        # Of a term that is as frequent the exact number matters little: counted up to twenty times the list.
        sql = "SELECT count(*) FROM (SELECT 1 FROM turn_terms WHERE term = ? LIMIT ?)"
        return int(self._database.value(sql, (term_number(tenant, term), 20 * POSTINGS)))

    def get(self, tenant: str, numbers: Iterable[int]) -> list[IndexedTurn]:
        """Turns of the tenant, in the order of session and place; unknown numbers are passed over."""
        sql = f"SELECT {_FIELDS} FROM turns WHERE number IN (SELECT value FROM json_each(?)) AND tenant = ? ORDER BY session, position"
        return [_turn(row) for row in self._database.rows(sql, (json_array(set(numbers)), tenant))]

    def around(self, tenant: str, places: Iterable[tuple[str, int]], reach: int) -> set[int]:
        """Numbers of the turns at most `reach` places from some places `(session, position)`, these included."""
        wanted = {(session, position + step) for session, position in places for step in range(-reach, reach + 1)}
        by_session: dict[str, list[int]] = {}
        for session, position in wanted:
            by_session.setdefault(session, []).append(position)
        sql = "SELECT number FROM turns WHERE tenant = ? AND session = ? AND position IN (SELECT value FROM json_each(?))"
        return {
            number
            for session, positions in by_session.items()
            for (number,) in self._database.rows(sql, (tenant, session, json_array(positions)))
        }

    def since(self, tenant: str, number: int, limit: int) -> tuple[Labels, Vector]:
        """Numbers `(n,)` and embeddings `(n, d)` of the turns after a row, oldest first."""
        sql = "SELECT number, vector FROM turns WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?"
        return _vectors(self._database.rows(sql, (tenant, number, limit)))

    def sample(self, tenant: str, limit: int) -> tuple[Labels, Vector]:
        """Numbers and embeddings of about so many turns, evenly from the oldest to the newest."""
        stride = max(1, self.count(tenant) // max(limit, 1))
        sql = "SELECT number, vector FROM turns WHERE tenant = ? AND number % ? = 0 ORDER BY number LIMIT ?"
        return _vectors(self._database.rows(sql, (tenant, stride, limit)))

    def texts(self, tenant: str, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Id of the episode and the text of each turn."""
        sql = (
            "SELECT number, id, step, start, stop, body FROM turns JOIN episodes ON sequence = turns.episode "
            "WHERE number IN (SELECT value FROM json_each(?)) AND turns.tenant = ?"
        )
        rows = self._database.rows(sql, (json_array(set(numbers)), tenant))
        return {number: (id, read_episode(body).steps[step].text[start:stop]) for number, id, step, start, stop, body in rows}

    def newest(self, tenant: str, limit: int, speaker: str = "") -> list[int]:
        """Numbers of the newest turns, newest first, of one speaker where named."""
        sql = "SELECT number FROM turns WHERE tenant = ? AND (? = '' OR speaker = ?) ORDER BY number DESC LIMIT ?"
        return [number for (number,) in self._database.rows(sql, (tenant, speaker, speaker, limit))]


_FIELDS = "number, session, position, speaker, kind, created, length, flags, vector"


def _turn(row: tuple[int, str, int, str, str, float, int, int, bytes]) -> IndexedTurn:
    number, session, position, speaker, kind, created, length, flags, vector = row
    return IndexedTurn(
        number=number,
        session=session,
        position=position,
        speaker=speaker,
        kind=Kind(kind),
        created=created,
        length=length,
        flags=flags,
        vector=_unpacked(vector),
    )


def _insert(connection: sqlite3.Connection, place: tuple[int, str, str, int], passage: Utterance, vector: Vector, created: float) -> None:
    sequence, tenant, session, position = place
    counts = Counter(terms(passage.text))
    flags = QUESTION * (passage.kind is Kind.QUESTION) | TIME * tells_time(passage.text) | NUMBER * tells_number(passage.text)
    row = connection.execute(
        "INSERT INTO turns (episode, tenant, session, position, step, start, stop, speaker, kind, created, length, flags, vector) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sequence, tenant, session, position, passage.step, passage.start, passage.stop, passage.speaker, passage.kind, created,
            counts.total(), flags, _packed(vector),
        ),
    ).lastrowid  # fmt: skip
    numbered: Counter[int] = Counter()
    for term, count in counts.items():
        numbered[term_number(tenant, term)] += count
    connection.executemany("INSERT INTO turn_terms VALUES (?, ?, ?)", [(term, row, count) for term, count in numbered.items()])


def term_number(tenant: str, term: str) -> int:
    """64 bits that stand for a term of a tenant, as SQLite keeps integers."""
    digest = hashlib.blake2b(f"{tenant}\0{term}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _vectors(rows: Sequence[tuple[int, bytes]]) -> tuple[Labels, Vector]:
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    packed = np.frombuffer(b"".join(blob for _, blob in rows), dtype=np.int8).reshape(len(rows), -1).astype(np.float32)
    return numbers, np.asarray(l2_normalize(packed), dtype=np.float32)


def _packed(vector: Vector) -> bytes:
    return bytes(np.clip(np.rint(vector * SCALE), -SCALE, SCALE).astype(np.int8).tobytes())


def _unpacked(blob: bytes) -> Vector:
    row = np.frombuffer(blob, dtype=np.int8).astype(np.float32)
    length = float(np.linalg.norm(row))
    return row / length if length else row
