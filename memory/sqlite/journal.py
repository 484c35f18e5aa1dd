"""`Journal`: where a night or a run stands, so that it can go on after a crash."""

from __future__ import annotations

import json
from typing import Any

from .database import Database


class Journal:
    """JSON values under keys. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        value = self._database.value("SELECT value FROM journal WHERE key = ?", (key,))
        return default if value is None else json.loads(value)

    def set(self, key: str, value: Any) -> None:
        """Keep a value; on disk when this returns."""
        with self._database.transaction() as connection:
            connection.execute("REPLACE INTO journal VALUES (?, ?)", (key, json.dumps(value)))

    def delete(self, key: str) -> None:
        """Drop exactly this key; a key that begins with it may be another tenant's."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM journal WHERE key = ?", (key,))
