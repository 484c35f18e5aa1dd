"""`OpenRunStore`: runs under way, each step durable as it happens.

An open run is an episode without an end. Its head is kept once and every step in a row of its own, so that a step costs the same
however long the run is; when the run ends, its episode is recorded and these rows go.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ...core import UNKNOWN, Episode, MalformedTask, NothingFound, Observation, Outcome, Recall, Step, StoreError, Usage
from ...core.plain import standard_json
from ...core.steps import step_to_json, steps_from_json
from ...numerics.arrays import Vector
from .database import Database, json_array
from .episodes import EpisodeStore, insert_episode, read_episode, vector_blob, without_erased


class OpenRunStore:
    """Part of a `Record`; every method may raise `StoreError`, and `NothingFound` for a run that is not open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, episode: Episode, vector: Vector) -> bool:
        """Open a run with the steps that it has; False, and nothing changes, where one of this id is open or recorded already.

        Raises `ValueError` for a vector that is not finite or not of the dimension of those before.
        """
        with self._database.transaction() as connection:
            recorded = connection.execute("SELECT 1 FROM episodes WHERE id = ?", (episode.id,)).fetchone()
            opened = connection.execute("SELECT 1 FROM open_runs WHERE id = ?", (episode.id,)).fetchone()
            if recorded or opened:
                return False
            kept = without_erased(connection, episode)
            _open(connection, kept, vector_blob(connection, vector), emptied=kept != episode)
        return True

    def record_ended(self, episode: Episode, vector: Vector) -> bool:
        """Record a run that has ended before it was opened; False, and nothing changes, where `begin` has to be asked.

        That is where one of its id is open or recorded, and where something that it was shown was erased meanwhile.
        """
        known = "SELECT 1 FROM open_runs WHERE id = ?1 UNION ALL SELECT 1 FROM episodes WHERE id = ?1"
        with self._database.transaction() as connection:
            if connection.execute(known, (episode.id,)).fetchone() or without_erased(connection, episode) != episode:
                return False
            insert_episode(connection, episode, vector_blob(connection, vector))
        return True

    def append(self, id: str, steps: Sequence[Step], usage: Usage | None = None) -> int:
        """Keep further steps, and what they cost; on disk when this returns. Returns how many the run has now."""
        with self._database.transaction() as connection:
            if not connection.execute("SELECT 1 FROM open_runs WHERE id = ?", (id,)).fetchone():
                raise NothingFound(f"no run {id!r} is open; it has ended or was erased")
            return _append(connection, id, steps, usage)

    def remind(self, id: str, recall: Recall) -> int:
        """Keep text that memory added on the way, and its lessons with those that the run was shown. Returns how many steps there are."""
        with self._database.transaction() as connection:
            length = self.append(id, [recall])
            head = self.head(id)
            head = replace(head, lessons=tuple(dict.fromkeys((*head.lessons, *recall.lessons))))
            connection.execute("UPDATE open_runs SET body = ? WHERE id = ?", (head.to_json(), id))
        return length

    def truncate(self, id: str, length: int) -> None:
        """Drop the steps after the first `length`: a retry or an edit replaces them."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM run_steps WHERE run = ? AND position >= ?", (id, length))

    def judge(self, id: str, outcome: Outcome, correction: str = "") -> Episode:
        """Keep an outcome with an open run. Raises `MalformedTask` when a more trusted judge has spoken already."""
        with self._database.transaction() as connection:
            head = self.head(id)
            if head.outcome.success is not None and not outcome.judge.may_overrule(head.outcome.judge):
                raise MalformedTask(f"run {id!r} was judged by the {head.outcome.judge}; the {outcome.judge} cannot overrule it")
            head = replace(head, outcome=outcome, correction=correction or ("" if outcome.success else head.correction))
            if _is_emptied(connection, id):
                # What the judge had seen is there no longer, and the judge's words may repeat it.
                head = replace(head, outcome=replace(outcome, reason="", evidence=""), correction="")
            connection.execute("UPDATE open_runs SET body = ? WHERE id = ?", (head.to_json(), id))
        return head

    def head(self, id: str) -> Episode:
        """The run without its steps and costs: reads one row, however long it is."""
        body = self._database.value("SELECT body FROM open_runs WHERE id = ?", (id,))
        if body is None:
            raise NothingFound(f"no run {id!r} is open; it has ended or was erased")
        return read_episode(body)

    def get(self, id: str) -> Episode:
        """The run as an episode with all its steps and costs so far."""
        with self._database.snapshot():
            head = self.head(id)
            rows = self._database.rows("SELECT body, usage FROM run_steps WHERE run = ? ORDER BY position", (id,))
        try:
            steps = steps_from_json(json.loads(body) for body, _ in rows)
            costs = [Usage(**json.loads(usage)) for _, usage in rows if usage]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"a step of run {id!r} is damaged ({error}); restore a copy of the record") from error
        return replace(head, steps=steps, usage=sum(costs, start=head.usage))

    def length(self, id: str) -> int:
        """How many steps a run has; constant time."""
        return int(self._database.value("SELECT coalesce(max(position) + 1, 0) FROM run_steps WHERE run = ?", (id,)))

    def last(self, id: str, count: int = 1) -> tuple[Step, ...]:
        """The newest steps, oldest first."""
        sql = "SELECT body FROM run_steps WHERE run = ? ORDER BY position DESC LIMIT ?"
        rows = self._database.rows(sql, (id, count))
        return steps_from_json(json.loads(body) for (body,) in reversed(rows))

    def first(self, id: str, count: int) -> tuple[Step, ...]:
        """The oldest steps."""
        rows = self._database.rows("SELECT body FROM run_steps WHERE run = ? ORDER BY position LIMIT ?", (id, count))
        return steps_from_json(json.loads(body) for (body,) in rows)

    def vector(self, id: str) -> Vector:
        """The embedding of the run's task `(d,)`."""
        blob = self._database.value("SELECT vector FROM open_runs WHERE id = ?", (id,))
        if blob is None:
            raise NothingFound(f"no run {id!r} is open; it has ended or was erased")
        return np.frombuffer(blob, dtype="<f4").astype(np.float32)

    def ids(self, *, tenant: str | None = None, skill: str | None = None, session: str | None = None) -> list[str]:
        """Ids of the open runs that meet every condition given, oldest first."""
        sql = (
            "SELECT id FROM open_runs WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR skill = ?2) AND (?3 IS NULL OR session = ?3) "
            "ORDER BY created, id"
        )
        return [id for (id,) in self._database.rows(sql, (tenant, skill, session))]

    def updated(self, id: str) -> float:
        """When the run's newest step was kept, in seconds since the epoch."""
        newest = "SELECT at FROM run_steps WHERE run = ?1 ORDER BY position DESC LIMIT 1"
        sql = f"SELECT coalesce(({newest}), created) FROM open_runs WHERE id = ?1"
        return float(self._database.value(sql, (id,)) or 0.0)

    def finish(self, episode: Episode) -> None:
        """Record the run's episode and close the run, in one transaction. Raises as `EpisodeStore.record` does."""
        with self._database.transaction() as connection:
            vector = self.vector(episode.id)
            if _is_emptied(connection, episode.id):
                episode = replace(episode, outcome=UNKNOWN, correction="", steps=_spoken_by_people(episode.steps))
            self.discard(episode.id)
            EpisodeStore(self._database).record(episode, vector)

    def discard(self, id: str) -> None:
        """Drop a run and its steps; one that is not open is passed over."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM open_runs WHERE id = ?", (id,))

    def existing(self, ids: Iterable[str]) -> set[str]:
        """Which of these runs are open, whoever's they are."""
        sql = "SELECT id FROM open_runs WHERE id IN (SELECT value FROM json_each(?))"
        return {id for (id,) in self._database.rows(sql, (json_array(ids),))}

    def owners(self, ids: Iterable[str]) -> list[str]:
        """Tenants to whom these open runs belong, sorted; unknown ids are skipped."""
        sql = "SELECT DISTINCT tenant FROM open_runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY tenant"
        return [tenant for (tenant,) in self._database.rows(sql, (json_array(ids),))]

    def rename_skill(self, connection: sqlite3.Connection, tenant: str, old: str, new: str) -> None:
        """Within a renaming's transaction: open runs follow the name."""
        sql = "UPDATE open_runs SET skill = ?3, body = json_set(body, '$.skill', ?3) WHERE tenant = ?1 AND skill = ?2"
        connection.execute(sql, (tenant, old, new))


@contextmanager
def open_runs_as_episodes(runs: OpenRunStore, tenants: Iterable[str]) -> Iterator[None]:
    """Within the block, the open runs of these tenants stand among the episodes, for an erasure to find; what is left is open again after.

    All in one transaction: nobody else sees it.
    """
    with runs._database.transaction() as connection:
        opened = {id: (runs.get(id), _is_emptied(connection, id)) for tenant in sorted(set(tenants)) for id in runs.ids(tenant=tenant)}
        for id, (episode, _) in opened.items():
            blob = runs.vector(id).astype("<f4").tobytes()
            runs.discard(id)
            insert_episode(connection, episode, blob)
        yield
        sql = "SELECT body, vector FROM episodes JOIN vectors USING (sequence) WHERE id = ?"
        for id, (before, emptied) in opened.items():
            for body, blob in connection.execute(sql, (id,)).fetchall():
                connection.execute("DELETE FROM episodes WHERE id = ?", (id,))
                episode = read_episode(body)
                _open(connection, episode, blob, emptied=emptied or episode != before)


def _is_emptied(connection: sqlite3.Connection, id: str) -> bool:
    return connection.execute("SELECT 1 FROM open_runs WHERE id = ? AND emptied", (id,)).fetchone() is not None


def _spoken_by_people(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps without what a model or a tool said; that they were there stays, so that positions hold."""
    return tuple(step if isinstance(step, Observation) else step.emptied() for step in steps)


def _open(connection: sqlite3.Connection, episode: Episode, blob: bytes, *, emptied: bool) -> None:
    head = replace(episode, steps=())
    values: tuple[Any, ...] = (episode.id, episode.task.tenant, episode.skill, episode.task.session, episode.created)
    connection.execute("INSERT INTO open_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, head.to_json(), blob, False))
    _append(connection, episode.id, episode.steps, None)
    connection.execute("UPDATE open_runs SET emptied = ? WHERE id = ?", (emptied, episode.id))


def _append(connection: sqlite3.Connection, id: str, steps: Sequence[Step], usage: Usage | None) -> int:
    (length,) = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM run_steps WHERE run = ?", (id,)).fetchone()
    steps = _spoken_by_people(steps) if _is_emptied(connection, id) else steps
    now = time.time()
    cost = json.dumps(asdict(usage)) if usage is not None else None
    rows = [
        (id, length + number, now, standard_json(step_to_json(step)), cost if number == len(steps) - 1 else None)
        for number, step in enumerate(steps)
    ]
    connection.executemany("INSERT INTO run_steps VALUES (?, ?, ?, ?, ?)", rows)
    return int(length) + len(rows)
