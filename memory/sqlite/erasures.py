"""`ErasureStore`: erasures that were promised and are not finished, so that any process can finish them."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

from .database import Database


@dataclass(frozen=True, kw_only=True)
class PendingErasure:
    """What has to be known to go on with an erasure once its rows are gone."""

    id: str
    """Unique; the receipt's id."""
    asked: str
    """What was asked, in the caller's words."""
    whole_tenant: str = ""
    """The tenant whose name goes too, where everything of a tenant was asked for."""
    ids: tuple[str, ...]
    """Episodes to erase; those found to quote them are added."""
    rebuild: bool
    """Whether their skills sleep again afterwards."""
    needles: tuple[str, ...] = ()
    """Texts that no file may hold afterwards."""
    planned: bool = False
    """Whether what follows was written down."""
    erased: bool = False
    """Whether the rows are gone."""
    derived: int = 0
    """Of the episodes, those that nobody named and that quote an erased answer."""
    rewritten: int = 0
    """Episodes that stay without copies of the erased."""
    lessons: int = 0
    """Lessons removed."""
    adapters: tuple[tuple[str, str, str, str], ...] = ()
    """Name, path, tenant and skill of the adapters that had seen the data."""
    tenants: tuple[str, ...] = ()
    """Tenants that were touched."""
    cued: tuple[str, ...] = ()
    """Tenants of whose cues some were of erased episodes."""
    cues_lost: int = 0
    """Other episodes whose cues went too."""
    documents: tuple[str, ...] = ()
    """Files of a run beside the home that quoted its episodes and were deleted."""
    traces: tuple[str, ...] = ()
    """What was made with the help of the erased and stays, in words."""


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
