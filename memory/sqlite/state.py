"""`StateStore`: where the work under way stands, as typed values under exact keys, so that it can go on after a crash."""

from __future__ import annotations

import json
import sqlite3
import types
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from ...core import StoreError
from ..store import KEYS, S, State
from .database import Database, json_array


class StateStore:
    """One value for each exact (kind, tenant, skill, id). Part of a `Record`; every method may raise `StoreError`.

    No key is a prefix or a pattern: what is deleted for tenant `ann` never touches tenant `anna`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, kind: type[S], *, tenant: str = "", skill: str = "", id: str = "") -> S | None:
        """The value under this key, None where there is none."""
        sql = "SELECT tenant, skill, id, body FROM run_state WHERE kind = ? AND tenant = ? AND skill = ? AND id = ?"
        rows = self._database.rows(sql, (kind.KIND, tenant, skill, id))
        return _read(kind, *rows[0]) if rows else None

    def find(self, kind: type[S], *, tenant: str | None = None, skill: str | None = None) -> list[S]:
        """All values of a kind, of one tenant and skill where these are given, ordered by tenant, skill and id."""
        sql = (
            "SELECT tenant, skill, id, body FROM run_state WHERE kind = ?1 AND (?2 IS NULL OR tenant = ?2) "
            "AND (?3 IS NULL OR skill = ?3) ORDER BY tenant, skill, id"
        )
        return [_read(kind, *row) for row in self._database.rows(sql, (kind.KIND, tenant, skill))]

    def put(self, value: State) -> None:
        """Keep a value in the place of what had its key; on disk when this returns."""
        row = {name: item for name, item in asdict(value).items() if name not in KEYS}  # type: ignore[call-overload]
        key = [getattr(value, name, "") for name in KEYS]
        with self._database.transaction() as connection:
            connection.execute("REPLACE INTO run_state VALUES (?, ?, ?, ?, ?)", (value.KIND, *key, json.dumps(row)))

    def delete(self, kind: type[State], *, tenant: str = "", skill: str = "", id: str = "") -> None:
        """Drop the value under exactly this key."""
        sql = "DELETE FROM run_state WHERE kind = ? AND tenant = ? AND skill = ? AND id = ?"
        with self._database.transaction() as connection:
            connection.execute(sql, (kind.KIND, tenant, skill, id))

    def mark_learned(self, episodes: list[str]) -> None:
        """Note that a finished night has learned from these episodes. Ids that are not in the record are passed over."""
        sql = "INSERT OR IGNORE INTO learned SELECT id FROM episodes WHERE id IN (SELECT value FROM json_each(?))"
        with self._database.transaction() as connection:
            connection.execute(sql, (json_array(episodes),))

    def mark_changed(self, episodes: list[str]) -> None:
        """Note that these episodes tell something else than when they were learned from: they count as new again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM learned WHERE episode IN (SELECT value FROM json_each(?))", (json_array(episodes),))

    def new_episodes(self, tenant: str, skill: str, *, failed: bool = False) -> int:
        """How many trainable, or with `failed` how many failed, episodes of a skill no finished night has learned from.

        The mark of an episode goes with its row, so the number does not depend on what was erased or compressed since.
        """
        which = "success = 0 AND trainable = 0" if failed else "trainable = 1"
        sql = (
            f"SELECT count(*) FROM episodes WHERE tenant = ? AND skill = ? AND {which} "
            "AND NOT EXISTS (SELECT 1 FROM learned WHERE episode = id)"
        )
        return int(self._database.value(sql, (tenant, skill)))

    def rename_skill(self, connection: sqlite3.Connection, tenant: str, old: str, new: str) -> None:
        """Within a renaming's transaction: the state of a skill follows its name; that of a skill which is none any more goes."""
        if new:
            connection.execute("UPDATE OR IGNORE run_state SET skill = ? WHERE tenant = ? AND skill = ?", (new, tenant, old))
        connection.execute("DELETE FROM run_state WHERE tenant = ? AND skill = ?", (tenant, old))

    def erase_tenant(self, connection: sqlite3.Connection, tenant: str, keep: tuple[str, ...] = ()) -> None:
        """Within an erasure's transaction: drop all state of exactly this tenant, but for the kinds named in `keep`."""
        sql = "DELETE FROM run_state WHERE tenant = ? AND kind NOT IN (SELECT value FROM json_each(?))"
        connection.execute(sql, (tenant, json_array(keep)))


def _read(kind: type[S], tenant: str, skill: str, id: str, body: str) -> S:
    try:
        row = json.loads(body) | dict(zip(KEYS, (tenant, skill, id), strict=True))
        value: S = decode(kind, row)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the state {kind.KIND!r} in the record is damaged ({error}); restore a copy of the record") from error
    return value


def decode(hint: Any, value: Any) -> Any:
    """What `json` and `dataclasses.asdict` made plain, as the type that it was; keys that a dataclass does not have are passed over."""
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{f.name: decode(hints[f.name], value[f.name]) for f in fields(hint) if f.name in value})  # type: ignore[operator]
    arguments = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return None if value is None else decode(next(one for one in arguments if one is not types.NoneType), value)
    if get_origin(hint) is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(decode(one, item) for one, item in zip(kinds, value, strict=True))
    if get_origin(hint) is dict:
        return {key: decode(arguments[1], item) for key, item in value.items()}
    return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value
