"""The transaction of an erasure: rows go, copies in other rows go, and a tenant of whom nothing is left is named nowhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..store import Erased
from .database import json_array
from .episodes import store_rewritten
from .generations import raise_generations
from .open_runs import open_runs_as_episodes
from .provenance import Trace, touched_tenants, trace

if TYPE_CHECKING:
    from .record import Record

SOME = "IN (SELECT value FROM json_each(?))"


def erase(record: Record, episodes: Iterable[str], lessons: Iterable[str] = ()) -> Erased:
    """Remove episodes and lessons with all that was derived from them, in one transaction.

    Lessons citing them go; adapters that saw them are marked erased, lose their routes, and keep in their provenance only what may be
    learned again; what other episodes were shown, quote or repeat of them goes too (`trace`).
    """
    episodes = set(episodes)
    with open_runs_as_episodes(record.open_runs, touched_tenants(record, episodes, lessons)):
        return _apply(record, episodes, trace(record._database, episodes, lessons))


def erase_copies(record: Record, texts: Iterable[str], holders: Iterable[str]) -> Erased:
    """Remove texts of episodes that are gone already from other episodes in which they were found, and whatever follows from that."""
    holders = set(holders)
    with open_runs_as_episodes(record.open_runs, touched_tenants(record, holders)):
        return _apply(record, set(), trace(record._database, [], texts=texts, holders=holders))


def _apply(record: Record, episodes: set[str], lost: Trace) -> Erased:
    database = record._database
    with database.transaction() as connection:
        gone = {*episodes, *lost.gone, *lost.lessons}
        some = json_array(gone)
        tenants = {row[0] for row in database.rows(f"SELECT DISTINCT tenant FROM episodes WHERE id {SOME}", (some,))}
        tenants |= {episode.task.tenant for episode in lost.rewritten.values()} | set(record.cues.tenants(gone))
        tenants |= set(record.compressed.tenants(gone))
        for name in sorted(lost.adapters):
            adapter = record.adapters.get(name)
            # What a lost adapter had learned is new again for the next night.
            record.state.mark_changed(list(adapter.episodes))
            kept, practised, lessons_kept = (
                tuple(id for id in ids if id not in gone) for ids in (adapter.episodes, adapter.practised, adapter.lessons)
            )
            record.adapters.erase(connection, replace(adapter, episodes=kept, practised=practised, lessons=lessons_kept))
        for episode in lost.rewritten.values():
            store_rewritten(connection, episode)
        connection.execute(f"DELETE FROM adapter_episodes WHERE episode {SOME}", (some,))
        connection.execute(f"DELETE FROM adapter_lessons WHERE lesson {SOME}", (some,))
        connection.execute(f"DELETE FROM shown WHERE cited {SOME}", (some,))
        connection.execute(f"DELETE FROM lessons WHERE id {SOME}", (some,))
        removed = connection.execute(f"DELETE FROM episodes WHERE id {SOME}", (some,)).rowcount
        record.session_nodes.erase(connection, tenants, gone)
        cues, codebooks = record.cues.erase(connection, gone)
        record.compressed.erase(connection, gone, lost.compressed - episodes)
        raise_generations(connection, tenants)
        for tenant in tenants:
            if not record.episodes.count(tenant=tenant) and not record.cues.find(tenant=tenant):
                _erase_tenant(record, connection, tenant)
    return Erased(
        episodes=removed,
        lessons=tuple(sorted(lost.lessons)),
        adapters=tuple(sorted(lost.adapters)),
        cues=tuple(cues),
        codebooks=tuple(codebooks),
        derived=tuple(sorted(lost.gone.keys() - episodes)),
        rewritten=tuple(sorted(lost.rewritten)),
        tenants=tuple(sorted(tenants)),
    )


def _erase_tenant(record: Record, connection: sqlite3.Connection, tenant: str) -> None:
    """Of a tenant with no episode and no cue left, nothing stays: not its name either."""
    mine = "SELECT name FROM adapters WHERE tenant = ?"
    for table in ("adapter_episodes", "adapter_lessons"):
        connection.execute(f"DELETE FROM {table} WHERE adapter IN ({mine})", (tenant,))
    for table in ("routes", "route_history", "lessons", "adapters", "compressed"):
        connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))
    record.session_nodes.erase(connection, [tenant], (), all=True)
    record.state.erase_tenant(connection, tenant)
    record.receipts.erase_tenant(connection, tenant)
