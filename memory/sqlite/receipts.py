"""`ReceiptStore`: what was erased, when, and what the probes found afterwards."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ...core import Receipt
from .database import Database


class ReceiptStore:
    """The receipts of all erasures. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, receipt: Receipt) -> None:
        """Keep a receipt; one with the same id is replaced, as its rebuilding goes on."""
        with self._database.transaction() as connection:
            connection.execute("REPLACE INTO receipts VALUES (?, ?, ?)", (receipt.id, receipt.created, json.dumps(asdict(receipt))))

    def find(self) -> list[Receipt]:
        """All receipts, oldest first."""
        rows = [json.loads(body) for (body,) in self._database.rows("SELECT body FROM receipts ORDER BY created, id")]
        return [_read(row) for row in rows]


def _read(row: dict[str, Any]) -> Receipt:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Receipt(**values)
