"""`AdapterStore`: versioned adapters and which one serves which skill."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...core import Adapter, AdapterStatus, GateReport, NothingFound, SkillGate
from ...core.paths import AnyPath
from . import provenance
from .database import Database, json_array
from .lessons import require_episodes


class AdapterStore:
    """The adapters of all tenants and their routes. Part of a `Record`; every method may raise `StoreError`.

    The path of an adapter below `home`, the record's own directory, is kept relative to it: a home can be moved.
    """

    def __init__(self, database: Database, home: AnyPath) -> None:
        home = Path(home)
        self._database = database
        self._home = home.resolve()

    def next_name(self, prefix: str = "lifelong") -> str:
        """Reserve the next versioned name, such as `lifelong-v0001`; no name is given twice, not even after an erasure."""
        with self._database.transaction() as connection:
            sql = "INSERT INTO names VALUES (?, 1) ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last"
            return f"{prefix}-v{connection.execute(sql, (prefix,)).fetchone()[0]:04d}"

    def record(self, adapter: Adapter, *, made_from: str = "") -> None:
        """Keep an adapter, or a new stage of its life.

        Raises `NothingFound` when an episode or lesson that it learned from is not in the record (it was erased while
        the adapter was trained) or, where `made_from` is given (`Record.made_from` before the training), is not as it was; and
        `ValueError` when its name belongs to another tenant or directory, or was erased.
        """
        with self._database.transaction() as connection:
            self._write(connection, adapter)
            if made_from and provenance.made_from(self._database, adapter.tenant, adapter.episodes, adapter.lessons) != made_from:
                raise NothingFound(f"what adapter {adapter.name!r} learned from has changed since; was a part of it erased meanwhile?")

    def _write(self, connection: sqlite3.Connection, adapter: Adapter) -> None:
        known = self._database.rows("SELECT body FROM adapters WHERE name = ?", (adapter.name,))
        if known:
            before = self._read(known[0][0])
            same = before.tenant == adapter.tenant and Path(before.path) == Path(adapter.path).resolve()
            if not same or before.status is AdapterStatus.ERASED:
                raise ValueError(f"adapter name {adapter.name!r} is taken; ask `next_name` for a new one")
        require_episodes(self._database, adapter.episodes, f"adapter {adapter.name!r}")
        missing = self._database.value(
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM lessons)", (json_array(adapter.lessons),)
        )
        if missing is not None:
            raise NothingFound(f"adapter {adapter.name!r} carries lesson {missing!r}, which is not in the record; was it erased meanwhile?")
        self._store(connection, adapter)
        episodes = [(adapter.name, episode) for episode in adapter.episodes]
        lessons = [(adapter.name, lesson) for lesson in adapter.lessons]
        connection.executemany("INSERT OR IGNORE INTO adapter_episodes VALUES (?, ?)", episodes)
        connection.executemany("INSERT OR IGNORE INTO adapter_lessons VALUES (?, ?)", lessons)

    def get(self, name: str) -> Adapter:
        """One adapter. Raises `NothingFound`."""
        body = self._database.value("SELECT body FROM adapters WHERE name = ?", (name,))
        if body is None:
            raise NothingFound(f"no adapter {name!r} in the record")
        return self._read(body)

    def find(self, tenant: str | None = None, status: AdapterStatus | None = None) -> list[Adapter]:
        """Adapters that meet the conditions given, in the order of their names."""
        sql = "SELECT body FROM adapters WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY name"
        return [self._read(body) for (body,) in self._database.rows(sql, (tenant, status))]

    def route(self, tenant: str, skill: str) -> str:
        """Name of the adapter that serves a skill, empty for the base model."""
        return self._database.value("SELECT adapter FROM routes WHERE tenant = ? AND skill = ?", (tenant, skill)) or ""

    def routes(self, tenant: str) -> dict[str, str]:
        """Every skill that an adapter serves, and which."""
        return dict(self._database.rows("SELECT skill, adapter FROM routes WHERE tenant = ? ORDER BY skill", (tenant,)))

    def serving(self) -> list[str]:
        """Names of the adapters that serve any skill of any tenant, sorted; reads no tenant that has none."""
        return [name for (name,) in self._database.rows("SELECT DISTINCT adapter FROM routes ORDER BY adapter")]

    def publish(self, adapter: Adapter, skills: Iterable[str]) -> None:
        """Let an adapter serve these skills of its tenant, all in one transaction; what serves nothing more is retired.

        Raises what `record` raises, and `ValueError` when no skill is named.
        """
        skills = sorted(set(skills))
        if not skills:
            raise ValueError(f"adapter {adapter.name!r} cannot be published for no skill at all")
        with self._database.transaction() as connection:
            self._write(connection, adapter)
            for skill in skills:
                previous = self.route(adapter.tenant, skill)
                if previous != adapter.name:
                    history = (adapter.tenant, skill, adapter.name, previous)
                    connection.execute("INSERT INTO route_history (tenant, skill, adapter, previous) VALUES (?, ?, ?, ?)", history)
                    connection.execute("REPLACE INTO routes VALUES (?, ?, ?)", (adapter.tenant, skill, adapter.name))
            self._settle(connection, adapter.tenant)

    def rollback(self, tenant: str, skill: str | None = None) -> list[str]:
        """Undo the last publication, or the last switch of one skill; returns the skills whose route changed.

        Raises `NothingFound` when there is nothing to undo.
        """
        with self._database.transaction() as connection:
            last = self._database.rows(
                "SELECT sequence, adapter FROM route_history WHERE tenant = ?1 AND (?2 IS NULL OR skill = ?2) "
                "ORDER BY sequence DESC LIMIT 1",
                (tenant, skill),
            )
            if not last:
                raise NothingFound(f"nothing to roll back for tenant {tenant!r}" + (f", skill {skill!r}" if skill else ""))
            undone = self._database.rows(
                "SELECT sequence, skill, previous FROM route_history WHERE sequence = ?1 OR (?2 AND tenant = ?3 AND adapter = ?4) "
                "ORDER BY sequence DESC",
                (last[0][0], skill is None, tenant, last[0][1]),
            )
            for sequence, name, previous in undone:
                connection.execute("DELETE FROM route_history WHERE sequence = ?", (sequence,))
                connection.execute("DELETE FROM routes WHERE tenant = ? AND skill = ?", (tenant, name))
                if previous:
                    connection.execute("INSERT INTO routes VALUES (?, ?, ?)", (tenant, name, previous))
            self._settle(connection, tenant)
        return sorted(name for _, name, _ in undone)

    def rename_skill(self, connection: sqlite3.Connection, tenant: str, old: str, new: str) -> None:
        """Within a renaming's transaction: routes and targets follow the name; a skill that is none any more has neither."""
        if new:
            connection.execute("UPDATE OR IGNORE routes SET skill = ? WHERE tenant = ? AND skill = ?", (new, tenant, old))
            connection.execute("UPDATE route_history SET skill = ? WHERE tenant = ? AND skill = ?", (new, tenant, old))
            for adapter in self.find(tenant):
                if adapter.target == old:
                    self._store(connection, replace(adapter, target=new))
        connection.execute("DELETE FROM routes WHERE tenant = ? AND skill = ?", (tenant, old))
        connection.execute("DELETE FROM route_history WHERE tenant = ? AND skill = ?", (tenant, old))
        self._settle(connection, tenant)

    def _settle(self, connection: sqlite3.Connection, tenant: str) -> None:
        """Adapters with a route are live, live ones without are retired."""
        serving = set(self.routes(tenant).values())
        for adapter in self.find(tenant):
            if adapter.name in serving and adapter.status is not AdapterStatus.LIVE:
                self._store(connection, adapter.with_status(AdapterStatus.LIVE))
            elif adapter.name not in serving and adapter.status is AdapterStatus.LIVE:
                self._store(connection, adapter.with_status(AdapterStatus.RETIRED))

    def erase(self, connection: sqlite3.Connection, adapter: Adapter) -> None:
        """Within an erasure's transaction: mark an adapter erased, take its routes and every way back to it."""
        self._store(connection, adapter.with_status(AdapterStatus.ERASED))
        connection.execute("DELETE FROM routes WHERE adapter = ?", (adapter.name,))
        connection.execute("DELETE FROM route_history WHERE adapter = ?", (adapter.name,))
        connection.execute("UPDATE route_history SET previous = '' WHERE previous = ?", (adapter.name,))

    def _store(self, connection: sqlite3.Connection, adapter: Adapter) -> None:
        row = asdict(adapter)
        path = Path(adapter.path).resolve()
        row["path"] = str(path.relative_to(self._home) if path.is_relative_to(self._home) else path)
        # Not REPLACE, which would delete the row and its provenance first.
        connection.execute(
            "INSERT INTO adapters VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET status = excluded.status, body = excluded.body",
            (adapter.name, adapter.tenant, adapter.status, json.dumps(row)),
        )

    def _read(self, body: str) -> Adapter:
        row: dict[str, Any] = json.loads(body)
        row.update(status=AdapterStatus(row["status"]), episodes=tuple(row["episodes"]), lessons=tuple(row["lessons"]))
        row["practised"] = tuple(row.get("practised", ()))
        row["path"] = str(self._home / row["path"])
        if row["gate"]:
            skills = tuple(SkillGate(**{**skill, "gain_ci95": tuple(skill["gain_ci95"])}) for skill in row["gate"]["skills"])
            row["gate"] = GateReport(**{**row["gate"], "skills": skills})
        return Adapter(**row)
