"""`SkillCueStore`: what is left of episodes that went beyond the budget, as cues of their embeddings."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from ...numerics.arrays import Vector
from ..cues.codes import STREAMS
from ..cues.cue_memory import CueMemory
from .database import Database, json_array


class SkillCueStore:
    """The cues of all tenants. Part of a `Record`; every method may raise `StoreError`.

    The episodes of one skill that go in one night are a batch: a blob of cues around a mean of its own, and the names of its
    episodes. Cues cannot be told apart, so a batch of which one episode is to be forgotten goes as a whole.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def recall(self, tenant: str, touched_by: Iterable[str] | None = None) -> tuple[Vector, list[str]]:
        """The vectors `(n, d)` that a tenant's cues recall, oldest batch first, and their skills.

        With `touched_by`, only those of the batches in which one of these episodes is: what an erasure of them would take.
        """
        rows, batches = self._memory(tenant).recall()
        length = self._database.value("SELECT length(vector) FROM vectors LIMIT 1")
        rows, skills = rows[:, : length // 4 if length else None], self._skills(tenant)
        if touched_by is not None:
            wanted = np.isin(batches, [batch for owner, batch in self._touched(touched_by) if owner == tenant])
            rows, batches = rows[wanted], batches[wanted]
        return rows, [skills[int(batch)] for batch in batches]

    def tenants(self, episodes: Iterable[str]) -> list[str]:
        """Tenants of whose cues some were episodes, sorted."""
        return sorted({tenant for tenant, _ in self._touched(episodes)})

    def find(self, *, tenant: str | None = None, skill: str | None = None, episodes: Iterable[str] | None = None) -> list[str]:
        """Ids of the episodes that are cues now and meet every condition given, sorted."""
        sql = "SELECT DISTINCT episode FROM cue_episodes WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR skill = ?2)"
        some = "" if episodes is None else " AND episode IN (SELECT value FROM json_each(?3))"
        rows = self._database.rows(f"{sql}{some} ORDER BY episode", (tenant, skill, *([] if episodes is None else [json_array(episodes)])))
        return [episode for (episode,) in rows]

    def bytes(self, tenant: str) -> int:
        """Bytes of a tenant's cues and codebooks."""
        return self._memory(tenant).bytes

    def absorb(self, connection: sqlite3.Connection, tenant: str, ids: Sequence[str], vectors: Vector, skills: Sequence[str]) -> None:
        """Within a compression's transaction: make batches of episodes, with their vectors `(n, d)` and skills."""
        memory = self._memory(tenant)
        first = 1 + int(self._database.value("SELECT coalesce(max(batch), 0) FROM cue_episodes WHERE tenant = ?", (tenant,)))
        names = sorted(set(skills))
        batches = np.array([first + names.index(skill) for skill in skills], dtype=np.int64)
        memory.remember(_padded(vectors), batches)
        rows = [(tenant, int(batch), id, skill) for batch, id, skill in zip(batches, ids, skills, strict=True)]
        connection.executemany("INSERT INTO cue_episodes VALUES (?, ?, ?, ?)", rows)
        self._keep(connection, tenant, memory)

    def erase(self, connection: sqlite3.Connection, episodes: Iterable[str]) -> tuple[list[str], list[str]]:
        """Within an erasure's transaction: drop every batch with one of these episodes.

        Returns the ids of the other episodes that went with them, and the tenants one of whose codebooks was fitted while such a
        batch was there, and is still used.
        """
        episodes = set(episodes)
        touched: dict[str, list[int]] = {}
        for tenant, batch in self._touched(episodes):
            touched.setdefault(tenant, []).append(batch)
        lost: set[str] = set()
        traced: list[str] = []
        for tenant, batches in touched.items():
            memory = self._memory(tenant)
            whole = True
            # The oldest last: whether a codebook is left that was fitted while it was there holds for the others too.
            for batch in sorted(batches, reverse=True):
                whole = memory.forget_class(batch)
                rows = self._database.rows("SELECT episode FROM cue_episodes WHERE tenant = ? AND batch = ?", (tenant, batch))
                lost.update(episode for (episode,) in rows)
                connection.execute("DELETE FROM cue_episodes WHERE tenant = ? AND batch = ?", (tenant, batch))
            traced += [] if whole else [tenant]
            self._keep(connection, tenant, memory)
        return sorted(lost - episodes), sorted(traced)

    def rename_skill(self, connection: sqlite3.Connection, tenant: str, old: str, new: str) -> None:
        """Within a renaming's transaction: cues follow the name; those of a skill that is none any more go."""
        if new:
            connection.execute("UPDATE cue_episodes SET skill = ? WHERE tenant = ? AND skill = ?", (new, tenant, old))
        else:
            self.erase(connection, self.find(tenant=tenant, skill=old))

    def _touched(self, episodes: Iterable[str]) -> list[tuple[str, int]]:
        """Tenant and number of every batch in which one of these episodes is."""
        some = "SELECT DISTINCT tenant, batch FROM cue_episodes WHERE episode IN (SELECT value FROM json_each(?))"
        return [(tenant, batch) for tenant, batch in self._database.rows(some, (json_array(episodes),))]

    def _skills(self, tenant: str) -> dict[int, str]:
        return dict(self._database.rows("SELECT DISTINCT batch, skill FROM cue_episodes WHERE tenant = ?", (tenant,)))

    def _memory(self, tenant: str) -> CueMemory:
        memory = CueMemory()
        body = self._database.value("SELECT body FROM cue_memories WHERE tenant = ?", (tenant,))
        if body is not None:
            with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
                memory.restore(arrays)
        return memory

    def _keep(self, connection: sqlite3.Connection, tenant: str, memory: CueMemory) -> None:
        connection.execute("DELETE FROM cue_memories WHERE tenant = ?", (tenant,))
        if len(memory.labels):
            body = io.BytesIO()
            np.savez(body, **memory.state())  # type: ignore[arg-type]  # names of arrays, not flags
            connection.execute("INSERT INTO cue_memories VALUES (?, ?)", (tenant, body.getvalue()))


def _padded(vectors: Vector) -> Vector:
    """Cues are written in streams side by side, so that zeros may be needed to make a length even; an inner product does not see them."""
    return np.pad(vectors, ((0, 0), (0, -vectors.shape[1] % STREAMS)))
