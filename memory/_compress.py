"""Keep a tenant's episodes inside the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._database import listed

if TYPE_CHECKING:
    from .record import Record


def compress(record: Record, tenant: str, max_episodes: int) -> int:
    """Drop a tenant's oldest episodes beyond `max_episodes`, unverified ones first; returns how many went.

    Episodes that a lesson or an adapter names as its evidence stay, even where the budget is passed by that (law 7).
    """
    with record.database.transaction() as connection:
        excess = record.episodes.count(tenant=tenant) - max_episodes
        if excess <= 0:
            return 0
        dropped = record.database.rows(
            "SELECT id FROM episodes WHERE tenant = ? AND NOT EXISTS (SELECT 1 FROM lesson_episodes WHERE episode = id) "
            "AND NOT EXISTS (SELECT 1 FROM adapter_episodes WHERE episode = id) ORDER BY trainable, sequence LIMIT ?",
            (tenant, excess),
        )
        connection.execute("DELETE FROM episodes WHERE id IN (SELECT value FROM json_each(?))", (listed(id for (id,) in dropped),))
    return len(dropped)
