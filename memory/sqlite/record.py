"""`Record`: the file that remembers, and the erasure that reaches everything in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ...core import StoreError
from ..index.files import discard
from .adapters import AdapterStore
from .changes import ChangeLog
from .database import Database, listed
from .episodes import EpisodeStore, rewrite
from .generations import Generations, raise_generations
from .lessons import LessonStore
from .provenance import derived, readers
from .receipts import ReceiptStore
from .skill_cues import SkillCueStore
from .state import StateStore


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an erasure took."""

    episodes: int
    """Episodes removed."""
    lessons: tuple[str, ...]
    """Ids of the lessons removed."""
    adapters: tuple[str, ...]
    """Names of the adapters that had seen the data; they serve nothing any more. Their files are the caller's to delete."""
    cues: tuple[str, ...] = ()
    """Ids of other episodes whose cues went with those of the erased ones, from which they could not be told apart."""
    codebooks: tuple[str, ...] = ()
    """Tenants that still use a codebook which was fitted while cues of the erased episodes were there."""


class Record:
    """Everything kept outside the weights, in one SQLite file; the index beside it is only a cache.

    Safe for several threads (one connection behind a lock) and several processes (WAL, a busy timeout). What a method
    has acknowledged survives `kill -9` and power loss (`synchronous=FULL`). Raises `StoreError` when the file is damaged,
    locked for long, of a newer format, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise StoreError(f"{path} is a directory; name the file in it, such as {path / 'record.sqlite3'}")
        self.path = path
        self.index_directory = path.parent / "index"
        self.database = Database(path)
        self.episodes = EpisodeStore(self.database)
        self.changes = ChangeLog(self.database)
        self.lessons = LessonStore(self.database)
        self.adapters = AdapterStore(self.database, path.parent)
        self.receipts = ReceiptStore(self.database)
        self.cues = SkillCueStore(self.database)
        self.state = StateStore(self.database)
        self._generations = Generations(self.database)

    def generation(self, tenant: str) -> int:
        """A number that rises when what is known of a tenant has changed otherwise than by growing (erased, filed anew, compressed).

        Whoever keeps something derived of the record compares it on every request, in whatever process (invariant Many processes).
        """
        return self._generations.get(tenant)

    def erase(self, episodes: Iterable[str], lessons: Iterable[str] = ()) -> Erased:
        """Remove episodes (and lessons), all that was derived from them, and their bytes from the files.

        Lessons citing them go; adapters that saw them are marked erased, lose their routes, and keep in their provenance
        only what may be learned again; recalled text in other episodes that came from them is blanked. One transaction;
        then the log is emptied and the tenants' index files are discarded. Unknown ids are passed over.
        """
        episodes = set(episodes)
        with self.database.transaction() as connection:
            lost = derived(self.database, episodes, lessons)
            gone = {*episodes, *lost.lessons}
            tenants = [
                row[0]
                for row in self.database.rows(
                    "SELECT DISTINCT tenant FROM episodes WHERE id IN (SELECT value FROM json_each(?))", (listed(episodes),)
                )
            ]
            for name in lost.adapters:
                adapter = self.adapters.get(name)
                kept = tuple(id for id in adapter.episodes if id not in gone)
                lessons_kept = tuple(id for id in adapter.lessons if id not in gone)
                self.adapters.erase(connection, replace(adapter, episodes=kept, lessons=lessons_kept))
            for id in set(readers(self.database, gone)) - episodes:
                rewrite(connection, self.episodes.get(id), gone)
            some = "IN (SELECT value FROM json_each(?))"
            connection.execute(f"DELETE FROM adapter_episodes WHERE episode {some}", (listed(gone),))
            connection.execute(f"DELETE FROM adapter_lessons WHERE lesson {some}", (listed(gone),))
            connection.execute(f"DELETE FROM shown WHERE cited {some}", (listed(gone),))
            connection.execute(f"DELETE FROM lessons WHERE id {some}", (listed(gone),))
            removed = connection.execute(f"DELETE FROM episodes WHERE id {some}", (listed(episodes),)).rowcount
            raise_generations(connection, {*tenants, *self.cues.tenants(episodes)})
            cues, codebooks = self.cues.erase(connection, episodes)
        discard(self.index_directory, tenants)
        self.database.scrub()
        return Erased(episodes=removed, lessons=lost.lessons, adapters=lost.adapters, cues=tuple(cues), codebooks=tuple(codebooks))

    def rename_skill(self, tenant: str, old: str, new: str) -> int:
        """File everything of a tenant's skill under another name; returns how many episodes moved. An empty one unfiles them.

        Where the new name is a skill already, the two become one, and the new name's adapter goes on serving it.
        """
        with self.database.transaction() as connection:
            moved = self.episodes.find(tenant=tenant, skill=old)
            self.episodes.assign([episode.id for episode in moved], new)
            connection.execute("UPDATE lessons SET skill = ? WHERE tenant = ? AND skill = ?", (new, tenant, old))
            self.adapters.rename_skill(connection, tenant, old, new)
            self.cues.rename_skill(connection, tenant, old, new)
            raise_generations(connection, [tenant])
            self.state.rename_skill(connection, tenant, old, new)
        return len(moved)

    def close(self) -> None:
        """Close the file. May be called twice."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
