"""`ChangeLog`: what has come to a tenant's record since a cache last looked, so that no cache reads a record from its beginning.

`VerifiedStore`: the same for the vectors of the episodes from which may be learned, by the numbers of their rows; what an index is made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core import Episode
from ...numerics.arrays import Vector
from .database import Database, json_array
from .episodes import read_episode
from .generations import Generations

_COLUMNS = "sequence, skill, demonstration, success IS NOT NULL AND trusted, vector"
_NEW = (
    f"SELECT {_COLUMNS} FROM episodes INDEXED BY episodes_by_tenant JOIN vectors USING (sequence) "
    "WHERE tenant = ? AND sequence > ? ORDER BY sequence LIMIT ?"
)
# CROSS JOIN keeps the order of the loops: by number, and not over all of the tenant's episodes.
_NAMED = (
    f"SELECT {_COLUMNS} FROM (SELECT value FROM json_each(?)) AS named CROSS JOIN episodes ON sequence = named.value "
    "JOIN vectors USING (sequence) ORDER BY sequence"
)


SLICE = 50_000
"""Row numbers read at a time, so that no request waits for more."""

Numbers = NDArray[np.int64]
"""Numbers of rows in the record, `(n,)`."""


class Position(NamedTuple):
    """How far a cache has read a tenant's record. Two positions of one generation differ by additions alone."""

    generation: int = 0
    """Of the record (`Record.generation`) when the cache began to read."""
    last: int = 0
    """Number of the newest row read."""
    changed: int = 0
    """Number of the newest entry read in the log of changed rows."""


START = Position()
"""Of a cache that has read nothing."""


class _Row(NamedTuple):
    sequence: int
    skill: str
    demonstration: int
    judged: int
    vector: bytes


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to add to a cache, oldest first."""

    position: Position
    """How far the record has been read with these."""
    complete: bool
    """Whether that is all there is."""
    vectors: Vector
    """Embeddings `(n, d)` of tasks that now belong to a skill; demonstrations, which repeat another task's text, are left out."""
    skills: list[str]
    """Their skills `(n,)`."""
    texts: list[str]
    """Their texts `(n,)`, for what is read of them beside the embedding."""
    judged: list[tuple[Episode, Vector]]
    """Episodes with an outcome that a trusted judge gave, and their embeddings."""


class ChangeLog:
    """What was added to the record, by tenant. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._generations = Generations(database)

    def position(self, tenant: str) -> Position:
        """Where the record stands now; constant time."""
        sql = (
            "SELECT coalesce((SELECT last FROM tenants WHERE tenant = ?1), 0), "
            "coalesce((SELECT max(number) FROM changes WHERE tenant = ?1), 0)"
        )
        with self._database.snapshot():
            [(last, changed)] = self._database.rows(sql, (tenant,))
            return Position(generation=self._generations.get(tenant), last=last, changed=changed)

    def since(self, tenant: str, position: Position, *, limit: int, judged_after: int = 0) -> Changes | None:
        """At most `limit` changed and `limit` new rows after a position; None where rows were removed or filed anew since.

        Outcomes of new rows up to number `judged_after` are left out.
        """
        with self._database.snapshot():
            now = self.position(tenant)
            if position == START:
                position = Position(generation=now.generation, changed=now.changed)
            if now.generation != position.generation:
                return None
            sql = "SELECT number, sequence, kind FROM changes WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?"
            entries = self._database.rows(sql, (tenant, position.changed, limit)) if now.changed > position.changed else []
            # A row that is still to be read will be read as it is by then.
            filed = {row for _, row, kind in entries if kind == "filed" and row <= position.last}
            judged = filed | {row for _, row, kind in entries if kind == "judged" and row <= position.last}
            rows = [_Row(*row) for row in self._database.rows(_NAMED, (_numbers(judged),))] if judged else []
            last = position.last
            # New rows wait until the log is read to its end: they hold what it says of them, which would be added twice.
            if len(entries) < limit and now.last > last:
                fresh = [_Row(*row) for row in self._database.rows(_NEW, (tenant, last, limit))]
                last = fresh[-1].sequence if len(fresh) == limit else now.last
                filed |= {row.sequence for row in fresh}
                judged |= {row.sequence for row in fresh if row.sequence > judged_after}
                rows += fresh
            tellers = [row for row in rows if row.sequence in judged and row.judged and row.skill and not row.demonstration]
            tasks = [row for row in rows if row.sequence in filed and row.skill and not row.demonstration and row.vector.strip(b"\0")]
            bodies = self._bodies(sorted({row.sequence for row in [*tellers, *tasks]}))
        through = position._replace(last=last, changed=entries[-1][0] if len(entries) == limit else now.changed)
        episodes = {sequence: read_episode(body) for sequence, body in bodies.items()}
        vectors = stacked(row.vector for row in tellers)
        return Changes(
            position=through,
            complete=through == now,
            vectors=stacked(row.vector for row in tasks),
            skills=[row.skill for row in tasks],
            texts=[episodes[row.sequence].task.text for row in tasks],
            judged=[(episodes[row.sequence], vector) for row, vector in zip(tellers, vectors, strict=True)],
        )

    def seal(self, tenant: str, position: Position) -> str:
        """Names the rows up to a position: a file that was made of them carries it, and is of no use beside another record."""
        row = self._database.rows("SELECT id, vector FROM episodes JOIN vectors USING (sequence) WHERE sequence = ?", (position.last,))
        digest = hashlib.sha256(repr((tenant, tuple(position), row[0][0] if row else "")).encode("utf-8", "surrogatepass"))
        digest.update(row[0][1] if row else b"")
        return digest.hexdigest()

    def _bodies(self, numbers: list[int]) -> dict[int, str]:
        sql = "SELECT sequence, body FROM (SELECT value FROM json_each(?)) AS named CROSS JOIN episodes ON sequence = named.value"
        return dict(self._database.rows(sql, (_numbers(numbers),))) if numbers else {}


def _numbers(numbers: Iterable[int]) -> str:
    """Row numbers as one JSON value, ascending."""
    return json_array(sorted(numbers))


def stacked(blobs: Iterable[bytes]) -> Vector:
    """Stored embeddings as rows `(n, d)`; `(0, 0)` for none."""
    rows = list(blobs)
    if not rows:
        return np.zeros((0, 0), dtype=np.float32)
    return np.frombuffer(b"".join(rows), dtype="<f4").astype(np.float32).reshape(len(rows), -1)


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Rows to add to an index."""

    position: Position
    """How far the record has been read with these."""
    complete: bool
    """Whether that is all there is."""
    numbers: Numbers
    """Row numbers `(n,)`."""
    vectors: Vector
    """Their unit vectors `(n, d)`."""


class VerifiedStore:
    """Rows that are trainable, tenant by tenant. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database, changes: ChangeLog) -> None:
        self._database = database
        self._changes = changes

    def since(self, tenant: str, position: Position, *, limit: int) -> Verified | None:
        """Of at most `limit` changed and `limit` new rows after a position, those that may be learned from.

        None where rows were removed or filed anew since. Looks at no more rows than that, however many there are.
        """
        with self._database.snapshot():
            now = self._changes.position(tenant)
            if position == START:
                position = Position(generation=now.generation, changed=now.changed)
            if now.generation != position.generation:
                return None
            entries: list[tuple[int, int, str]] = []
            if now.changed > position.changed:
                sql = "SELECT number, sequence, kind FROM changes WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?"
                entries = self._database.rows(sql, (tenant, position.changed, limit))
            # A row that is still to be read will be read as it is by then.
            found = [row for _, row, kind in entries if kind == "verified" and row <= position.last]
            last = position.last
            if len(entries) < limit and now.last > last:
                fresh = self._rows(tenant, "sequence > ? ORDER BY sequence", last, limit)
                last = fresh[-1][0] if len(fresh) == limit else now.last
                found += [row for row, trainable in fresh if trainable]
            through = position._replace(last=last, changed=entries[-1][0] if len(entries) == limit else now.changed)
            return self._verified(through, through == now, found)

    def newest(self, tenant: str, limit: int) -> Verified:
        """Of a tenant's `limit` newest rows, those that may be learned from."""
        with self._database.snapshot():
            now = self._changes.position(tenant)
            rows = self._rows(tenant, "sequence <= ? ORDER BY sequence DESC", now.last, limit)
            return self._verified(now, len(rows) < limit, [row for row, trainable in rows if trainable])

    def numbers(self, tenant: str) -> Numbers:
        """The rows of a tenant that may be learned from, ascending; reads an index and no row."""
        skills = self._database.rows("SELECT skill FROM skills WHERE tenant = ?", (tenant,))
        found = [self._of_skill(tenant, skill) for skill in ("", *(skill for (skill,) in skills))]
        return np.sort(np.concatenate(found))

    def vectors(self, numbers: Iterable[int]) -> tuple[Numbers, Vector]:
        """Rows and vectors `(n, d)` of those of `numbers` that are still there, ascending."""
        # CROSS JOIN keeps the order of the loops: by number.
        sql = (
            "SELECT sequence, vector FROM (SELECT value FROM json_each(?)) AS named CROSS JOIN vectors ON sequence = named.value "
            "ORDER BY sequence"
        )
        rows = self._database.rows(sql, (json_array(sorted(int(number) for number in numbers)),))
        return np.array([number for number, _ in rows], dtype=np.int64), stacked(vector for _, vector in rows)

    def ids(self, numbers: Iterable[int], *, tenant: str) -> dict[int, str]:
        """The episodes of a tenant in rows, by number; rows that are gone are left out."""
        sql = (
            "SELECT sequence, id FROM (SELECT value FROM json_each(?)) AS named CROSS JOIN episodes ON sequence = named.value "
            "WHERE tenant = ?"
        )
        return dict(self._database.rows(sql, (json_array(numbers), tenant)))

    def _rows(self, tenant: str, condition: str, bound: int, limit: int) -> list[tuple[int, int]]:
        sql = f"SELECT sequence, trainable FROM episodes INDEXED BY episodes_by_tenant WHERE tenant = ? AND {condition} LIMIT ?"
        return self._database.rows(sql, (tenant, bound, limit))

    def _verified(self, position: Position, complete: bool, rows: Iterable[int]) -> Verified:
        numbers, vectors = self.vectors(rows)
        return Verified(position=position, complete=complete, numbers=numbers, vectors=vectors)

    def _of_skill(self, tenant: str, skill: str) -> Numbers:
        found: list[int] = []
        sql = (
            "SELECT sequence FROM episodes INDEXED BY episodes_by_use WHERE tenant = ? AND trainable = 1 AND skill = ? AND sequence > ? "
            "ORDER BY sequence LIMIT ?"
        )
        while True:
            some = self._database.rows(sql, (tenant, skill, found[-1] if found else 0, SLICE))
            found += [number for (number,) in some]
            if len(some) < SLICE:
                return np.array(found, dtype=np.int64)
