"""`ProfileStore`: which turns make up what is known of a person. It holds no text: what is forgotten of the turns is gone from it."""

from __future__ import annotations

from collections.abc import Sequence

from ..database import Database


class ProfileStore:
    """The profiles of all tenants, and what people have pinned. Part of a `Record`; every method may raise `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, tenant: str, lines: Sequence[tuple[int, int, int]]) -> None:
        """Put a profile in the place of the one before: turns, topics and which sentences hold, the foremost first.

        Turns that are not there any more are left out.
        """
        sql = "INSERT INTO profile_lines SELECT number, tenant, ?, ?, ? FROM turns WHERE number = ? AND tenant = ?"
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM profile_lines WHERE tenant = ?", (tenant,))
            connection.executemany(sql, [(rank, *line[1:], line[0], tenant) for rank, line in enumerate(lines)])

    def lines(self, tenant: str) -> list[tuple[int, int, int]]:
        """Turns that a profile is made of, their topics and which of their sentences hold, the foremost first."""
        return self._database.rows("SELECT turn, topic, sentences FROM profile_lines WHERE tenant = ? ORDER BY rank, turn", (tenant,))

    def pin(self, tenant: str, number: int, pinned: bool) -> None:
        """Keep a turn in the profile whatever else there is, or no longer."""
        place = "SELECT episode, step, start FROM turns WHERE number = ? AND tenant = ?"
        with self._database.transaction() as connection:
            if pinned:
                connection.execute(f"INSERT OR IGNORE INTO pins {place}", (number, tenant))
            else:
                connection.execute(f"DELETE FROM pins WHERE (episode, step, start) IN ({place})", (number, tenant))

    def pinned(self, tenant: str) -> set[int]:
        """Numbers of the pinned turns, or of those that stand for them where others say the same."""
        sql = (
            "SELECT coalesce((SELECT number FROM turns AS first WHERE first.saying = turns.saying AND first.saying != 0 "
            "AND first.vector != x''), number) FROM pins JOIN turns USING (episode, step, start) WHERE tenant = ?"
        )
        return {number for (number,) in self._database.rows(sql, (tenant,))}
