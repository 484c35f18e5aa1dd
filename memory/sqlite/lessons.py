"""`LessonStore`: principles with the episodes that prove them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ...core import Lesson, LessonStatus, NothingFound
from .database import Database, json_array


class LessonStore:
    """The lessons of all tenants. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, lesson: Lesson) -> Lesson:
        """Keep a lesson; returns it as it is now.

        A lesson that is known already keeps its counts and status and gains the new evidence.
        Raises `NothingFound` when an episode that it cites is not in the record (invariant Provenance); it may just have been erased.
        """
        with self._database.transaction() as connection:
            require_episodes(self._database, lesson.episodes, f"lesson {lesson.id!r}")
            connection.execute(
                "INSERT INTO lessons VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (lesson.id, lesson.tenant, lesson.skill, lesson.status, lesson.helped, lesson.harmed, lesson.text, lesson.author),
            )
            evidence = [(lesson.id, episode) for episode in lesson.episodes]
            connection.executemany("INSERT OR IGNORE INTO lesson_episodes VALUES (?, ?)", evidence)
            return self.get(lesson.id)

    def get(self, id: str) -> Lesson:
        """One lesson. Raises `NothingFound`."""
        lessons = self._read("WHERE id = ?", (id,))
        if not lessons:
            raise NothingFound(f"no lesson {id!r} in the record")
        return lessons[0]

    def find(self, tenant: str, skill: str | None = None, status: LessonStatus | None = None) -> list[Lesson]:
        """Lessons of a tenant, sorted by id."""
        conditions, values = "WHERE tenant = ?", [tenant]
        for name, value in (("skill", skill), ("status", status)):
            if value is not None:
                conditions += f" AND {name} = ?"
                values.append(value)
        return self._read(conditions, tuple(values))

    def credit(self, ids: Iterable[str], success: bool | None, *, instead_of: bool | None = None) -> None:
        """Count one task solved (or failed) with these lessons shown. Erased lessons are passed over.

        `instead_of` is what was counted of the same task before and is overruled now; it is taken back.
        """
        if success == instead_of:
            return
        some = json_array(ids)
        with self._database.transaction() as connection:
            for verdict, change in ((instead_of, -1), (success, 1)):
                if verdict is not None:
                    name = "helped" if verdict else "harmed"
                    # A lesson that was erased and written anew may have counted less than is taken back.
                    sql = f"UPDATE lessons SET {name} = max(0, {name} + ?) WHERE id IN (SELECT value FROM json_each(?))"
                    connection.execute(sql, (change, some))

    def set_status(self, ids: Iterable[str], status: LessonStatus) -> None:
        """Move lessons to another stage of life."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE lessons SET status = ? WHERE id IN (SELECT value FROM json_each(?))", (status, json_array(ids)))

    def _read(self, conditions: str, values: tuple[str, ...]) -> list[Lesson]:
        rows = self._database.rows(
            "SELECT id, tenant, skill, status, helped, harmed, text, author, "
            "(SELECT json_group_array(episode) FROM (SELECT episode FROM lesson_episodes WHERE lesson = id ORDER BY episode)) "
            f"FROM lessons {conditions} ORDER BY id",
            values,
        )
        return [_lesson(*row) for row in rows]


def require_episodes(database: Database, ids: Iterable[str], what: str) -> None:
    """Raise `NothingFound` unless all episodes are in the record."""
    missing = database.rows("SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM episodes WHERE id = value)", (json_array(ids),))
    if missing:
        raise NothingFound(f"{what} rests on episode {missing[0][0]!r}, which is not in the record; was it erased meanwhile?")


def _lesson(id: str, tenant: str, skill: str, status: str, helped: int, harmed: int, text: str, author: str, episodes: str) -> Lesson:
    return Lesson(
        id=id,
        tenant=tenant,
        skill=skill,
        status=LessonStatus(status),
        helped=helped,
        harmed=harmed,
        text=text,
        author=author,
        episodes=tuple(json.loads(episodes)),
    )
