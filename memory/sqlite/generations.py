"""How often what is known of a tenant has changed otherwise than by growing; caches compare it on every request."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

from .database import Database

BUCKETS = 1 << 16
"""Counters in all. Tenants that share one notice each other's changes too, which costs a refit and nothing else."""


class Generations:
    """One counter a bucket of tenants: it rises with every erasure, filing anew and compression, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, tenant: str) -> int:
        """The tenant's generation; it never falls, and a lookup by key costs microseconds."""
        return int(self._database.value("SELECT changes FROM generations WHERE bucket = ?", (_bucket(tenant),)) or 0)


def raise_generations(connection: sqlite3.Connection, tenants: Iterable[str]) -> None:
    """Within a transaction: let every process notice that what it has derived of these tenants is stale."""
    sql = "INSERT INTO generations VALUES (?, 1) ON CONFLICT (bucket) DO UPDATE SET changes = changes + 1"
    connection.executemany(sql, [(bucket,) for bucket in sorted({_bucket(tenant) for tenant in tenants})])


def _bucket(tenant: str) -> int:
    return int.from_bytes(hashlib.sha256(tenant.encode()).digest()[:2], "big") % BUCKETS
