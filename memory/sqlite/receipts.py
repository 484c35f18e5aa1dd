"""`ReceiptStore`: what was erased, when, and what the probes found afterwards."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import asdict, replace
from typing import Any

from ...core import Receipt
from .database import Database

ERASED = "[erased]"
"""What a receipt says in the place of a name that was erased."""


class ReceiptStore:
    """The receipts of all erasures. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, receipt: Receipt) -> None:
        """Keep a receipt; one with the same id is replaced, as its rebuilding goes on."""
        with self._database.transaction() as connection:
            connection.execute("REPLACE INTO receipts VALUES (?, ?, ?)", (receipt.id, receipt.created, json.dumps(asdict(receipt))))

    def erase_tenant(self, connection: sqlite3.Connection, tenant: str) -> None:
        """Within an erasure's transaction: receipts stay, without the name of a tenant of whom nothing is left."""
        for receipt in self.find():
            traces = tuple(trace.replace(repr(tenant), ERASED) for trace in receipt.traces)
            changed = replace(receipt, asked=without_name(receipt.asked, tenant), traces=traces)
            if changed != receipt:
                self.record(changed)

    def find(self) -> list[Receipt]:
        """All receipts, oldest first."""
        rows = [json.loads(body) for (body,) in self._database.rows("SELECT body FROM receipts ORDER BY created, id")]
        return [_read(row) for row in rows]


def without_name(asked: str, tenant: str) -> str:
    """What was asked, without exactly this tenant's name.

    >>> without_name("tenant=ann skill=x", "ann"), without_name("tenant=anna", "ann")
    ('tenant=[erased] skill=x', 'tenant=anna')
    """
    return re.sub(rf"\btenant={re.escape(tenant)}(?= skill=|$)", f"tenant={ERASED}", asked)


def _read(row: dict[str, Any]) -> Receipt:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Receipt(**values)
