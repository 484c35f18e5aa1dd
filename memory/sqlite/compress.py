"""Keep a tenant's episodes inside the budget, and what leads from the ones that leave to those that stay."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core import Episode
from .database import Database, json_array
from .digests import message_digest, quoted_digests
from .episodes import cited
from .fragments import generated_texts
from .generations import raise_generations

if TYPE_CHECKING:
    from .record import Record


def compress(record: Record, tenant: str, max_episodes: int) -> int:
    """Drop a tenant's oldest episodes beyond `max_episodes`, unverified ones first; returns how many went.

    Of those that a skill had run, the cues of their embeddings stay (`record.cues`): its tasks are recognised without them.
    Of all, what they were shown and digests of their messages stay (`record.compressed`): an erasure goes on through them.
    Episodes that a lesson or an adapter names as its evidence stay, even where the budget is passed by that (invariant Provenance).
    """
    with record._database.transaction() as connection:
        excess = record.episodes.count(tenant=tenant) - max_episodes
        if excess <= 0:
            return 0
        dropped = record._database.rows(
            "SELECT id, sequence FROM episodes WHERE tenant = ? AND NOT EXISTS (SELECT 1 FROM lesson_episodes WHERE episode = id) "
            "AND NOT EXISTS (SELECT 1 FROM adapter_episodes WHERE episode = id) ORDER BY trainable, sequence LIMIT ?",
            (tenant, excess),
        )
        episodes = record.episodes.get_many([id for id, _ in dropped], tenant=tenant)
        _absorb(record, connection, tenant, episodes)
        _keep_links(connection, tenant, episodes, dict(dropped))
        connection.execute("DELETE FROM episodes WHERE id IN (SELECT value FROM json_each(?))", (json_array(id for id, _ in dropped),))
        raise_generations(connection, [tenant])
    return len(dropped)


def _absorb(record: Record, connection: sqlite3.Connection, tenant: str, dropped: Sequence[Episode]) -> None:
    """Make cues of the episodes that tell how a skill's tasks look; a demonstration repeats a task that told it already."""
    filed = {episode.id: episode.skill for episode in dropped if episode.skill and not episode.demonstration}
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=list(filed))
    seen = np.flatnonzero(vectors.any(axis=1))
    if len(seen):
        named = [ids[row] for row in seen]
        record.cues.absorb(connection, tenant, named, vectors[seen], [filed[id] for id in named])


def _keep_links(connection: sqlite3.Connection, tenant: str, dropped: Sequence[Episode], sequences: dict[str, int]) -> None:
    rows = [(episode.id, tenant, sequences[episode.id]) for episode in dropped]
    connection.executemany("REPLACE INTO compressed VALUES (?, ?, ?)", rows)
    for episode in dropped:
        digests: dict[str, Iterable[int | None]] = {
            "quoted": quoted_digests(episode),
            "request": {message_digest(text) for text in (episode.task.text, episode.task.goal)},
            "answer": {message_digest(text) for text in generated_texts(episode)},
        }
        links: list[tuple[str, str, Any]] = [(episode.id, "shown", id) for id in cited(episode)]
        links += [(episode.id, kind, digest) for kind, found in digests.items() for digest in found if digest is not None]
        connection.executemany("INSERT OR IGNORE INTO compressed_links VALUES (?, ?, ?)", links)


class CompressedStore:
    """The ids, and the links, of episodes that have left the budget. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, *, tenant: str | None = None, episodes: Iterable[str] | None = None) -> list[str]:
        """Ids of the episodes that have left and meet every condition given, sorted."""
        some = "" if episodes is None else " AND episode IN (SELECT value FROM json_each(?2))"
        values = (tenant, *([] if episodes is None else [json_array(episodes)]))
        sql = f"SELECT episode FROM compressed WHERE (?1 IS NULL OR tenant = ?1){some} ORDER BY episode"
        return [id for (id,) in self._database.rows(sql, values)]

    def tenants(self, episodes: Iterable[str]) -> list[str]:
        """Tenants to whom those of these episodes belonged that have left, sorted."""
        sql = "SELECT DISTINCT tenant FROM compressed WHERE episode IN (SELECT value FROM json_each(?)) ORDER BY tenant"
        return [tenant for (tenant,) in self._database.rows(sql, (json_array(episodes),))]

    def digests(self, episodes: Iterable[str], *kinds: str) -> set[int]:
        """Digests of messages of episodes that have left: of their requests, their answers, or both."""
        sql = (
            "SELECT DISTINCT target FROM compressed_links WHERE episode IN (SELECT value FROM json_each(?)) "
            "AND kind IN (SELECT value FROM json_each(?))"
        )
        return {digest for (digest,) in self._database.rows(sql, (json_array(episodes), json_array(kinds)))}

    def shown(self, episodes: Iterable[str]) -> set[str]:
        """Ids of what stood in the prompts of episodes that have left, the episode before among them."""
        sql = "SELECT target FROM compressed_links WHERE kind = 'shown' AND episode IN (SELECT value FROM json_each(?))"
        return {id for (id,) in self._database.rows(sql, (json_array(episodes),))}

    def derived(self, tenant: str, ids: Collection[str], digests: Collection[int]) -> set[str]:
        """Episodes of a tenant that have left and were answered in sight of one of these episodes, lessons or messages, at any remove."""
        found: set[str] = set()
        new_ids, new_digests = set(ids), set(digests)
        while new_ids or new_digests:
            sql = (
                "SELECT episode FROM compressed_links JOIN compressed USING (episode) WHERE tenant = ?1 AND ("
                "(kind = 'shown' AND target IN (SELECT value FROM json_each(?2))) OR "
                "(kind = 'quoted' AND target IN (SELECT value FROM json_each(?3))))"
            )
            rows = self._database.rows(sql, (tenant, json_array(new_ids), json.dumps(sorted(new_digests))))
            new_ids = {id for (id,) in rows} - found - set(ids)
            found |= new_ids
            new_digests = self.digests(new_ids, "answer")
            new_digests -= self.common_digests(tenant, new_digests, found | set(ids))
        return found

    def common_digests(self, tenant: str, digests: Collection[int], gone: Collection[str]) -> set[int]:
        """Those of the digests that others of a tenant who have left said before all of `gone`, or without having been shown anything."""
        sql = (
            "SELECT DISTINCT target FROM compressed_links AS said JOIN compressed USING (episode) "
            "WHERE kind IN ('request', 'answer') AND target IN (SELECT value FROM json_each(?2)) AND tenant = ?1 "
            "AND episode NOT IN (SELECT value FROM json_each(?3)) AND (sequence < ?4 OR NOT EXISTS "
            "(SELECT 1 FROM compressed_links AS seen WHERE seen.episode = said.episode AND seen.kind IN ('shown', 'quoted')))"
        )
        values = (tenant, json.dumps(sorted(digests)), json_array(gone), self.first(gone))
        return {digest for (digest,) in self._database.rows(sql, values)}

    def first(self, episodes: Iterable[str]) -> int | None:
        """Row number of the oldest of these episodes, whether it is there or has left; None where none is known."""
        sql = (
            "SELECT min(sequence) FROM (SELECT sequence FROM episodes WHERE id IN (SELECT value FROM json_each(?1)) "
            "UNION ALL SELECT sequence FROM compressed WHERE episode IN (SELECT value FROM json_each(?1)))"
        )
        number: int | None = self._database.value(sql, (json_array(episodes),))
        return number

    def erase(self, connection: sqlite3.Connection, asked: Iterable[str], derived: Iterable[str]) -> None:
        """Within an erasure's transaction: forget the episodes asked for, and of derived ones all but their own requests."""
        connection.execute("DELETE FROM compressed WHERE episode IN (SELECT value FROM json_each(?))", (json_array(asked),))
        some = "episode IN (SELECT value FROM json_each(?))"
        some_derived = json_array(derived)
        connection.execute(f"DELETE FROM compressed_links WHERE kind != 'request' AND {some}", (some_derived,))
        # A run under way that was shown one of them learns by this that the answer it was shown is gone.
        connection.execute(
            f"INSERT OR IGNORE INTO compressed_links SELECT episode, 'emptied', '' FROM compressed WHERE {some}", (some_derived,)
        )
