"""`SessionNodes`: the prefixes of conversations that were seen, and what was shown beside them. See `memory.sessions`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from ...sessions import SessionNode
from ..database import Database

COLUMNS = "hash, session, run, position, leaf, sequence"
MOST = 256
"""Nodes read of one batch: where more share the prefixes, the newest are enough."""
CALL = "call:"
"""Before the id of a tool call, where it stands among the ids of answers."""
BATCH = 64
"""Prefixes looked up at once, from the longest on: a conversation that goes on is found in the first."""


class SessionNodes:
    """The nodes of all tenants. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, tenant: str) -> TenantNodes:
        """One tenant's nodes, as `resolve` reads them."""
        return TenantNodes(self._database, tenant)

    def add(self, tenant: str, nodes: Sequence[SessionNode], base: bytes, *, block: str = "", beside: bytes = b"") -> None:
        """Keep nodes that follow each other, the first after `base`; the text `block` was shown beside the message at `beside`."""
        rows = [(tenant, one.hash, one.session, one.run, one.position, one.leaf, block if one.hash == beside else "") for one in nodes]
        before = [base, *(node.hash for node in nodes)][:-1]
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO session_nodes (tenant, hash, session, run, position, leaf, block) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (tenant, hash, session) DO UPDATE SET run = excluded.run, position = excluded.position",
                rows,
            )
            connection.executemany(
                "UPDATE session_nodes SET leaf = 0 WHERE tenant = ? AND hash = ? AND session = ?",
                [(tenant, hash, node.session) for hash, node in zip(before, nodes, strict=True) if hash],
            )

    def add_answer(self, tenant: str, id: str, node: SessionNode, openings: Iterable[int], calls: Iterable[str] = ()) -> None:
        """Keep under which id an answer went out (empty: none), the ids of its calls, and the digests of texts that it hands to tools.

        An id that comes again is the newer answer's. That of a call is nobody's once two sessions have it: some servers count from one.
        """
        with self._database.transaction() as connection:
            if id:
                connection.execute("INSERT OR REPLACE INTO session_answers VALUES (?, ?, ?, ?)", (tenant, id, node.session, node.hash))
            connection.executemany(
                "INSERT INTO session_answers VALUES (?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE SET "
                "session = CASE WHEN session = excluded.session THEN session ELSE '' END, hash = excluded.hash",
                [(tenant, CALL + one, node.session, node.hash) for one in calls],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO session_calls VALUES (?, ?, ?, ?)", [(tenant, one, node.session, node.hash) for one in openings]
            )

    def run_of(self, id: str, tenant: str = "") -> str:
        """The run of an answer, by the id under which it went out; empty where nobody has it, or several tenants do."""
        sql = (
            "SELECT DISTINCT run FROM session_answers JOIN session_nodes USING (tenant, session, hash) "
            "WHERE session_answers.id = ?1 AND (?2 = '' OR session_answers.tenant = ?2) LIMIT 2"
        )
        found = [run for (run,) in self._database.rows(sql, (id, tenant))]
        return found[0] if len(found) == 1 else ""

    def observed(self, runs: Iterable[str]) -> set[str]:
        """Those of the runs that were put together from a client's requests."""
        sql = "SELECT DISTINCT run FROM session_nodes WHERE run IN (SELECT value FROM json_each(?))"
        return {run for (run,) in self._database.rows(sql, (json.dumps(list(runs)),))}

    def erase(self, connection: sqlite3.Connection, tenants: Iterable[str], runs: Iterable[str], *, all: bool = False) -> None:
        """Within an erasure's transaction: drop the nodes of erased runs, and what was shown beside any message of these tenants.

        `all` drops everything of the tenants.
        """
        for tenant in tenants:
            connection.execute("UPDATE session_nodes SET block = '' WHERE tenant = ? AND block != ''", (tenant,))
            for table in ("session_nodes", "session_answers", "session_calls") if all else ():
                connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))
        for run in runs:
            for table in ("session_answers", "session_calls"):
                connection.execute(
                    f"DELETE FROM {table} WHERE (tenant, session, hash) IN (SELECT tenant, session, hash FROM session_nodes WHERE run = ?)",
                    (run,),
                )
            connection.execute("DELETE FROM session_nodes WHERE run = ?", (run,))

    def blocks(self, tenant: str, session: str, hashes: Sequence[bytes]) -> Mapping[bytes, str]:
        """What was shown beside the messages at these prefixes of a session."""
        sql = "SELECT hash, block FROM session_nodes WHERE tenant = ? AND session = ? AND block != ''"
        shown: dict[bytes, str] = {}
        for start in range(0, len(hashes), BATCH):
            batch = hashes[start : start + BATCH]
            shown |= dict(self._database.rows(f"{sql} AND hash IN ({_marks(batch)})", (tenant, session, *batch)))
        return shown


class TenantNodes:
    """A `SessionTree` in the record."""

    def __init__(self, database: Database, tenant: str) -> None:
        self._database = database
        self._tenant = tenant

    def nodes(self, hashes: Sequence[bytes]) -> list[SessionNode]:
        """See `SessionTree.nodes`."""
        depth = {hash: number for number, hash in enumerate(hashes)}
        for end in range(len(hashes), 0, -BATCH):
            batch = hashes[max(0, end - BATCH) : end]
            sql = f"SELECT {COLUMNS} FROM session_nodes WHERE tenant = ? AND hash IN ({_marks(batch)}) ORDER BY sequence DESC LIMIT {MOST}"
            found = [_node(row) for row in self._database.rows(sql, (self._tenant, *batch))]
            if found:
                longest = max(depth[node.hash] for node in found)
                return [node for node in found if depth[node.hash] == longest]
        return []

    def newest(self, session: str) -> SessionNode | None:
        """See `SessionTree.newest`."""
        sql = f"SELECT {COLUMNS} FROM session_nodes WHERE tenant = ? AND session = ? ORDER BY sequence DESC LIMIT 1"
        return self._first(sql, session)

    def caller(self, opening: int) -> SessionNode | None:
        """See `SessionTree.caller`."""
        return self._first(_joined("session_calls", "opening"), opening)

    def answer(self, id: str) -> SessionNode | None:
        """See `SessionTree.answer`."""
        return self._first(_joined("session_answers", "id"), id)

    def call(self, id: str) -> SessionNode | None:
        """See `SessionTree.call`."""
        return self.answer(CALL + id)

    def at(self, session: str, hash: bytes) -> SessionNode | None:
        """The node of one prefix of one session."""
        rows = self._database.rows(
            f"SELECT {COLUMNS} FROM session_nodes WHERE tenant = ? AND hash = ? AND session = ?", (self._tenant, hash, session)
        )
        return _node(rows[0]) if rows else None

    def _first(self, sql: str, value: str | int) -> SessionNode | None:
        rows = self._database.rows(sql, (self._tenant, value))
        return _node(rows[0]) if rows else None


def _joined(table: str, key: str) -> str:
    columns = ", ".join(f"session_nodes.{name}" for name in COLUMNS.split(", "))
    joined = f"{table} JOIN session_nodes USING (tenant, session, hash)"
    return f"SELECT {columns} FROM {joined} WHERE {table}.tenant = ? AND {table}.{key} = ? LIMIT 1"


def _marks(values: Sequence[bytes]) -> str:
    return ", ".join("?" * len(values))


def _node(row: tuple[bytes, str, str, int, int, int]) -> SessionNode:
    hash, session, run, position, leaf, order = row
    return SessionNode(hash=hash, session=session, run=run, position=position, leaf=bool(leaf), order=order)
