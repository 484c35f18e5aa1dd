"""`ErasureStore`: erasures that were promised and are not finished, so that any process can finish them."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

from ..store import PendingErasure
from .database import Database


class ErasureStore:
    """Pending erasures, each under its own id. Part of a `Record`; every method may raise `StoreError`.

    They hold what is being erased, so they are kept in base 64: an audit that reads the file must find copies and not its own list.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, pending: PendingErasure) -> None:
        """Keep an erasure, or how far it has come."""
        body = base64.b64encode(json.dumps(asdict(pending)).encode())
        with self._database.transaction() as connection:
            connection.execute("REPLACE INTO erasures VALUES (?, ?)", (pending.id, body))

    def find(self) -> list[PendingErasure]:
        """All that are not finished, sorted by id."""
        return [_read(body) for (body,) in self._database.rows("SELECT body FROM erasures ORDER BY id")]

    def delete(self, id: str) -> None:
        """Drop a finished one."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM erasures WHERE id = ?", (id,))


def _read(body: bytes | str) -> PendingErasure:
    if isinstance(body, str):
        # Promised by an older version; what it had found already is found again.
        old = json.loads(body)
        return PendingErasure(id=old["id"], asked=old["asked"], ids=tuple(old["episodes"]), rebuild=old["rebuild"])
    row: dict[str, Any] = json.loads(base64.b64decode(body))
    values: dict[str, Any] = {name: tuple(map(_tupled, value)) if isinstance(value, list) else value for name, value in row.items()}
    return PendingErasure(**values)


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
