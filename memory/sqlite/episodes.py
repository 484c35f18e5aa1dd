"""`EpisodeStore`: finished runs and their embeddings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...core import Episode, MalformedTask, NothingFound, Outcome, Recall, Step, StoreError
from ...core.steps import steps_from_json
from ...numerics.arrays import Vector
from ..store import Fingerprint
from .database import Database, json_array
from .digests import quoted_digests
from .fragments import Erasure, fragments, rewrite
from .generations import raise_generations


class EpisodeStore:
    """The episodes of all tenants. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, episode: Episode, vector: Vector) -> None:
        """Keep an episode and its embedding `(d,)`; on disk when this returns.

        The same episode again changes nothing. Raises `ValueError` for the id of a different episode, and for a
        vector that is not finite or not of the dimension of those before.
        """
        self.record_many([(episode, vector)])

    def record_many(self, pairs: Iterable[tuple[Episode, Vector]]) -> None:
        """`record` for many in one transaction: all are kept, or none."""
        with self._database.transaction() as connection:
            for episode, vector in pairs:
                insert_episode(connection, without_erased(connection, episode), vector_blob(connection, vector))

    def get(self, id: str) -> Episode:
        """One episode. Raises `NothingFound`."""
        body = self._database.value("SELECT body FROM episodes WHERE id = ?", (id,))
        if body is None:
            raise NothingFound(f"no episode {id!r} in the record")
        return read_episode(body)

    def find(
        self,
        *,
        tenant: str | None = None,
        skill: str | None = None,
        environment: str | None = None,
        success: bool | None = None,
        trainable: bool | None = None,
        control: bool | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[Episode]:
        """Episodes that meet every condition given, in the order in which they were recorded."""
        where, values = _where(tenant=tenant, skill=skill, environment=environment, success=success, trainable=trainable, control=control)
        order = "DESC" if newest_first else "ASC"
        sql = f"SELECT body FROM episodes{where} ORDER BY sequence {order} LIMIT ?"
        return [read_episode(body) for (body,) in self._database.rows(sql, (*values, -1 if limit is None else limit))]

    def get_many(self, ids: Sequence[str], *, tenant: str, skill: str = "", trainable: bool | None = None) -> list[Episode]:
        """Those of `ids` that belong to the tenant (and skill, where named), in the order of `ids`."""
        where, values = _where(tenant=tenant, skill=skill or None, trainable=trainable)
        # CROSS JOIN keeps the order of the loops: by id, and not over all of the tenant's episodes.
        sql = f"SELECT id, body FROM (SELECT value FROM json_each(?)) AS named CROSS JOIN episodes ON id = named.value{where}"
        found = dict(self._database.rows(sql, (json_array(ids), *values)))
        return [read_episode(found[id]) for id in ids if id in found]

    def count(
        self,
        *,
        tenant: str | None = None,
        skill: str | None = None,
        environment: str | None = None,
        success: bool | None = None,
        trainable: bool | None = None,
        control: bool | None = None,
    ) -> int:
        """How many episodes `find` would return; of a tenant, or of one of its skills, without looking at an episode."""
        if tenant is not None and all(given is None for given in (environment, success, trainable, control)):
            if skill is None:
                return self.fingerprint(tenant).episodes
            sql = "SELECT coalesce(sum(episodes), 0) FROM tallies WHERE tenant = ? AND skill = ?"
            return int(self._database.value(sql, (tenant, skill)))
        where, values = _where(tenant=tenant, skill=skill, environment=environment, success=success, trainable=trainable, control=control)
        return int(self._database.value(f"SELECT count(*) FROM episodes{where}", values))

    def unjudged(self, tenant: str) -> int:
        """How many of a tenant's episodes nobody has judged; looks at no episode."""
        sql = "SELECT coalesce(sum(episodes), 0) FROM tallies WHERE tenant = ? AND success = -1"
        return int(self._database.value(sql, (tenant,)))

    def judge(self, id: str, outcome: Outcome, correction: str = "") -> Episode:
        """Replace an episode's outcome by feedback; returns the episode as it is now.

        Raises `NothingFound`, and `MalformedTask` when a more trusted judge has spoken already.
        """
        with self._database.transaction() as connection:
            episode = self.get(id)
            before = episode.outcome
            if before.success is not None and not outcome.judge.may_overrule(before.judge):
                raise MalformedTask(
                    f"episode {id!r} was judged by the {before.judge}; the {outcome.judge} cannot overrule it, only add a correction "
                    "together with the outcome as it stands"
                )
            episode = replace(episode, outcome=outcome, correction=correction or ("" if outcome.success else episode.correction))
            _update(connection, episode)
        return episode

    def assign(self, ids: Iterable[str], skill: str) -> None:
        """File episodes under a skill. Raises `NothingFound` for an unknown id, and then changes none."""
        with self._database.transaction() as connection:
            episodes = [self.get(id) for id in ids]
            for episode in episodes:
                _update(connection, replace(episode, skill=skill))
            # A task that is filed for the first time is an addition, which the log of changes tells.
            raise_generations(connection, {episode.task.tenant for episode in episodes if episode.skill not in ("", skill)})

    def ids(self, *, tenant: str | None = None, skill: str | None = None) -> list[str]:
        """Ids of the episodes of a tenant and skill, where given, oldest first; no body is read."""
        where, values = _where(tenant=tenant, skill=skill)
        return [id for (id,) in self._database.rows(f"SELECT id FROM episodes{where} ORDER BY sequence", values)]

    def existing(self, ids: Iterable[str]) -> int:
        """How many of these episodes there are, whoever's they are."""
        return int(self._database.value("SELECT count(*) FROM episodes WHERE id IN (SELECT value FROM json_each(?))", (json_array(ids),)))

    def of_session(self, tenant: str, session: str) -> list[Episode]:
        """The episodes of one session, in the order in which they were recorded."""
        sql = "SELECT body FROM episodes WHERE tenant = ? AND session = ? AND session != '' ORDER BY sequence"
        return [read_episode(body) for (body,) in self._database.rows(sql, (tenant, session))]

    def before(self, episode: Episode) -> tuple[Step, ...] | None:
        """The steps of the conversation that the episode goes on from, oldest first; None where an episode of it is not there any more."""
        steps: tuple[Step, ...] = ()
        seen: set[str] = set()
        while episode.previous and episode.previous not in seen:
            seen.add(episode.previous)
            found = self.get_many([episode.previous], tenant=episode.task.tenant)
            if not found:
                return None
            [episode] = found
            steps = (*episode.steps, *steps)
        return steps

    def sessions(self, tenant: str, limit: int) -> list[tuple[str, int, float]]:
        """Name, number of episodes and time of the newest one, of the sessions in which something was recorded last, newest first."""
        sql = (
            "SELECT name, number, (SELECT json_extract(body, '$.created') FROM episodes WHERE sequence = last) FROM ("
            "SELECT session AS name, count(*) AS number, max(sequence) AS last FROM episodes "
            "WHERE tenant = ? AND session != '' GROUP BY session ORDER BY last DESC LIMIT ?)"
        )
        return [tuple(row) for row in self._database.rows(sql, (tenant, limit))]

    def demonstrations(self, episode: Episode) -> list[str]:
        """Ids of the demonstrations of an episode's task."""
        sql = (
            "SELECT id FROM episodes WHERE tenant = ? AND demonstration AND environment = ? AND json_extract(body, '$.task.id') = ? "
            "AND id != ? ORDER BY sequence"
        )
        task = episode.task
        return [id for (id,) in self._database.rows(sql, (task.tenant, task.environment, task.id, episode.id))]

    def novel(self, tenant: str) -> list[Episode]:
        """The novelty buffer: episodes filed under no skill yet, oldest first."""
        return self.find(tenant=tenant, skill="")

    def vectors(self, *, tenant: str, ids: Iterable[str] | None = None, after: int = 0) -> tuple[list[str], Vector]:
        """Ids and embeddings `(n, d)` of a tenant, oldest first; only `ids`, and only rows past number `after`."""
        source = "episodes"
        values: tuple[object, ...] = (tenant, after)
        if ids is not None:
            source, values = (
                "(SELECT value FROM json_each(?)) AS named CROSS JOIN episodes ON id = named.value",
                (json_array(set(ids)), tenant, after),
            )
        sql = f"SELECT id, vector FROM {source} JOIN vectors USING (sequence) WHERE tenant = ? AND sequence > ? ORDER BY sequence"
        rows = self._database.rows(sql, values)
        if not rows:
            return [], np.zeros((0, 0), dtype=np.float32)
        flat = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4").astype(np.float32)
        return [id for id, _ in rows], flat.reshape(len(rows), -1)

    def labelled_vectors(self, *, tenant: str, ids: Iterable[str] | None = None, after: int = 0) -> tuple[list[str], Vector, list[str]]:
        """Ids, embeddings `(n, d)` and skills of a tenant's filed episodes, oldest first; only `ids`, and only rows past number `after`.

        Demonstrations are left out: they repeat a task that is there already. No body is read.
        """
        source, values = "episodes", tuple[object, ...]((tenant, after))
        if ids is not None:
            source = "(SELECT value FROM json_each(?)) AS named CROSS JOIN episodes ON id = named.value"
            values = (json_array(set(ids)), *values)
        rows = self._database.rows(
            f"SELECT id, vector, skill FROM {source} JOIN vectors USING (sequence) "
            "WHERE tenant = ? AND sequence > ? AND skill != '' AND NOT demonstration ORDER BY sequence",
            values,
        )
        if not rows:
            return [], np.zeros((0, 0), dtype=np.float32), []
        flat = np.frombuffer(b"".join(vector for _, vector, _ in rows), dtype="<f4").astype(np.float32)
        return [id for id, _, _ in rows], flat.reshape(len(rows), -1), [skill for _, _, skill in rows]

    def skills(self, *, tenant: str) -> dict[str, int]:
        """A tenant's skills, sorted, and how many episodes each has; reads one row a skill."""
        return dict(self._database.rows("SELECT skill, episodes FROM skills WHERE tenant = ? ORDER BY skill", (tenant,)))

    def skill_of(self, *, tenant: str) -> dict[str, str]:
        """Skill of every filed episode of a tenant, by id, oldest first."""
        return dict(self._database.rows("SELECT id, skill FROM episodes WHERE tenant = ? AND skill != '' ORDER BY sequence", (tenant,)))

    def tenants(self) -> list[str]:
        """Tenants that have episodes, sorted."""
        return [tenant for (tenant,) in self._database.rows("SELECT tenant FROM tenants ORDER BY tenant")]

    def owners(self, ids: Iterable[str]) -> list[str]:
        """Tenants to whom these episodes belong, sorted; unknown ids are skipped."""
        sql = "SELECT DISTINCT tenant FROM episodes WHERE id IN (SELECT value FROM json_each(?)) ORDER BY tenant"
        return [tenant for (tenant,) in self._database.rows(sql, (json_array(ids),))]

    def fingerprint(self, tenant: str) -> Fingerprint:
        """What a cache compares to see whether it is stale; constant time."""
        rows = self._database.rows("SELECT episodes, last FROM tenants WHERE tenant = ?", (tenant,))
        return Fingerprint(*rows[0]) if rows else Fingerprint(0, 0)


def cited(episode: Episode) -> set[str]:
    """Ids of the episodes and lessons that stood in an episode's prompts."""
    recalls = [step for step in episode.steps if isinstance(step, Recall)]
    before = [episode.previous] if episode.previous else []
    return {*before, *episode.lessons, *(id for step in recalls for id in (*step.lessons, *step.episodes))}


def store_rewritten(connection: sqlite3.Connection, episode: Episode) -> None:
    """Within an erasure's transaction: put an episode in its own place, and what links it to others with it."""
    _update(connection, episode)
    connection.execute("DELETE FROM shown WHERE episode = ?", (episode.id,))
    connection.execute("DELETE FROM quoted WHERE episode = ?", (episode.id,))
    connection.execute("DELETE FROM pins WHERE episode = (SELECT sequence FROM episodes WHERE id = ?)", (episode.id,))
    # They are indexed anew from what is left.
    connection.execute("DELETE FROM turns WHERE episode = (SELECT sequence FROM episodes WHERE id = ?)", (episode.id,))
    _link(connection, episode)


def _link(connection: sqlite3.Connection, episode: Episode) -> None:
    connection.executemany("INSERT INTO shown VALUES (?, ?)", [(episode.id, id) for id in cited(episode)])
    connection.executemany("INSERT INTO quoted VALUES (?, ?)", [(digest, episode.id) for digest in quoted_digests(episode)])


def without_erased(connection: sqlite3.Connection, episode: Episode) -> Episode:
    """Within a transaction: an episode without what it was shown of the erased, and without what was answered in its sight.

    What a run recalled may be erased while it runs; neither its text nor what the answer repeats of it may come back.
    """
    seen = cited(episode)
    if not seen:
        return episode
    sql = (
        "SELECT value FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM episodes WHERE id = value) "
        "AND NOT EXISTS (SELECT 1 FROM lessons WHERE id = value) AND NOT EXISTS (SELECT 1 FROM compressed WHERE episode = value "
        "AND NOT EXISTS (SELECT 1 FROM compressed_links AS link WHERE link.episode = value AND kind = 'emptied'))"
    )
    gone = {row[0] for row in connection.execute(sql, (json_array(seen),))}
    # One that stays may have lost the answer that was shown; without one, it could not have been recalled.
    recalled = {id for step in episode.steps if isinstance(step, Recall) for id in step.episodes}
    emptied = "SELECT body FROM episodes WHERE id IN (SELECT value FROM json_each(?1)) AND NOT trainable"
    shown_then = [read_episode(body) for (body,) in connection.execute(emptied, (json_array(recalled),))]
    gone |= {one.id for one in shown_then if not one.answer}
    if not gone:
        return episode
    shown = fragments(step.text for step in episode.steps if isinstance(step, Recall) and gone & {*step.lessons, *step.episodes})
    after = rewrite(episode, Erasure(ids=frozenset(gone), digests=frozenset(), all=frozenset(shown), generated=frozenset()))
    assert after.episode is not None, "nothing generated is looked for in the request"
    return after.episode


def insert_episode(connection: sqlite3.Connection, episode: Episode, blob: bytes) -> None:
    """Within a transaction: record an episode with its embedding. Raises `ValueError` for the id of a different one."""
    known = connection.execute("SELECT body, vector FROM episodes JOIN vectors USING (sequence) WHERE id = ?", (episode.id,)).fetchone()
    if known is not None:
        # A run that was killed after the commit repeats its last task, at another time of day.
        if replace(read_episode(known[0]), created=episode.created) != episode or known[1] != blob:
            raise ValueError(f"episode {episode.id!r} is recorded already with other content; use `judge` or `assign` to change it")
        return
    columns = {"id": episode.id, **_columns(episode)}
    sql = f"INSERT INTO episodes ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    sequence = connection.execute(sql, tuple(columns.values())).lastrowid
    connection.execute("INSERT INTO vectors VALUES (?, ?)", (sequence, blob))
    _link(connection, episode)


def _update(connection: sqlite3.Connection, episode: Episode) -> None:
    columns = _columns(episode)
    sql = f"UPDATE episodes SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?"
    connection.execute(sql, (*columns.values(), episode.id))


def _columns(episode: Episode) -> dict[str, Any]:
    return {
        "tenant": episode.task.tenant,
        "skill": episode.skill,
        "environment": episode.task.environment,
        "session": episode.task.session,
        "success": episode.outcome.success,
        "trusted": episode.outcome.judge.trusted,
        "trainable": episode.trainable,
        "control": 2 if episode.placebo else episode.control,
        "offered": episode.offered,
        "demonstration": episode.demonstration,
        "tokens": episode.usage.tokens or None,
        "seconds": episode.usage.seconds or None,
        "body": episode.to_json(),
    }


def _where(**conditions: object) -> tuple[str, tuple[object, ...]]:
    given = {name: value for name, value in conditions.items() if value is not None}
    return f" WHERE {' AND '.join(f'{name} = ?' for name in given) or '1'}", tuple(given.values())


def vector_blob(connection: sqlite3.Connection, vector: Vector) -> bytes:
    """An embedding as it is stored. Raises `ValueError` for one that is not finite or not of the dimension of those before."""
    row = np.asarray(vector, dtype="<f4")
    if row.ndim != 1 or not row.size or not np.isfinite(row).all():
        raise ValueError(f"an embedding must be one finite row of numbers, got shape {np.shape(vector)}")
    known = connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
    if known and known[0] != row.nbytes:
        raise ValueError(f"an embedding has {row.size} dimensions, those recorded have {known[0] // 4}; was the encoder changed?")
    return row.tobytes()


def read_steps(body: str, places: Collection[int]) -> tuple[str, dict[int, Step]]:
    """Id of an episode and some of its steps by their places, from its stored body; cheaper than the whole of a long one.

    Raises `StoreError` where it is damaged.
    """
    try:
        row = json.loads(body)
        chosen = sorted(places)
        return row["id"], dict(zip(chosen, steps_from_json(row["steps"][place] for place in chosen), strict=True))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _damaged(error) from error


def read_episode(body: str) -> Episode:
    """An episode from its stored body. Raises `StoreError` where it is damaged."""
    try:
        return Episode.from_json(body)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> StoreError:
    return StoreError(f"an episode in the record is damaged ({error}); restore a copy of the record")
