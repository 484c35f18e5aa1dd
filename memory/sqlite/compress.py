"""Keep a tenant's episodes inside the budget."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .database import json_array
from .generations import raise_generations

if TYPE_CHECKING:
    from .record import Record


def compress(record: Record, tenant: str, max_episodes: int) -> int:
    """Drop a tenant's oldest episodes beyond `max_episodes`, unverified ones first; returns how many went.

    Of those that a skill had run, the cues of their embeddings stay (`record.cues`): its tasks are recognised without them.
    Episodes that a lesson or an adapter names as its evidence stay, even where the budget is passed by that (invariant Provenance).
    """
    with record._database.transaction() as connection:
        excess = record.episodes.count(tenant=tenant) - max_episodes
        if excess <= 0:
            return 0
        dropped = record._database.rows(
            "SELECT id FROM episodes WHERE tenant = ? AND NOT EXISTS (SELECT 1 FROM lesson_episodes WHERE episode = id) "
            "AND NOT EXISTS (SELECT 1 FROM adapter_episodes WHERE episode = id) ORDER BY trainable, sequence LIMIT ?",
            (tenant, excess),
        )
        _absorb(record, connection, tenant, [id for (id,) in dropped])
        connection.execute("DELETE FROM episodes WHERE id IN (SELECT value FROM json_each(?))", (json_array(id for (id,) in dropped),))
        raise_generations(connection, [tenant])
    return len(dropped)


def _absorb(record: Record, connection: sqlite3.Connection, tenant: str, dropped: Sequence[str]) -> None:
    """Make cues of the episodes that tell how a skill's tasks look; a demonstration repeats a task that told it already."""
    filed = {
        episode.id: episode.skill
        for episode in record.episodes.get_many(dropped, tenant=tenant)
        if episode.skill and not episode.demonstration
    }
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=list(filed))
    seen = np.flatnonzero(vectors.any(axis=1))
    if len(seen):
        named = [ids[row] for row in seen]
        record.cues.absorb(connection, tenant, named, vectors[seen], [filed[id] for id in named])
