"""`Record`: the file that remembers, and the erasure that reaches everything in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from ...core import Episode, StoreError
from ...core.paths import AnyPath
from ..index_files import discard
from ..store import Erased
from .adapters import AdapterStore
from .changes import ChangeLog, VerifiedStore
from .compress import CompressedStore
from .database import SCRUB_SECONDS, Database
from .episodes import EpisodeStore
from .erase import erase, erase_copies
from .erasures import ErasureStore
from .generations import Generations, raise_generations
from .lessons import LessonStore
from .open_runs import OpenRunStore
from .provenance import find_text, made_from, runs_with_text
from .receipts import ReceiptStore
from .sessions import SessionNodes
from .skill_cues import SkillCueStore
from .state import StateStore
from .turns.profiles import ProfileStore
from .turns.store import TurnStore


class Record:
    """Everything kept outside the weights, in one SQLite file; the index beside it is only a cache.

    Safe for several threads (one connection behind a lock) and several processes (WAL, a busy timeout). What a method
    has acknowledged survives `kill -9` and power loss (`synchronous=FULL`). Raises `StoreError` when the file is damaged,
    locked for long, of a newer format, or the disk is full.
    """

    def __init__(self, path: AnyPath) -> None:
        path = Path(path)
        if path.is_dir():
            raise StoreError(f"{path} is a directory; name the file in it, such as {path / 'record.sqlite3'}")
        self.path = path
        self.index_directory = path.parent / "index"
        self._database = Database(path)
        self.episodes = EpisodeStore(self._database)
        self.changes = ChangeLog(self._database)
        self.open_runs = OpenRunStore(self._database)
        self.verified = VerifiedStore(self._database, self.changes)
        self.session_nodes = SessionNodes(self._database)
        self.lessons = LessonStore(self._database)
        self.adapters = AdapterStore(self._database, path.parent)
        self.receipts = ReceiptStore(self._database)
        self.cues = SkillCueStore(self._database)
        self.compressed = CompressedStore(self._database)
        self.state = StateStore(self._database)
        self.erasures = ErasureStore(self._database)
        self.turns = TurnStore(self._database)
        self.profiles = ProfileStore(self._database)
        self._generations = Generations(self._database)

    def generation(self, tenant: str) -> int:
        """A number that rises when what is known of a tenant has changed otherwise than by growing (erased, filed anew, compressed).

        Whoever keeps something derived of the record compares it on every request, in whatever process (invariant Many processes).
        """
        return self._generations.get(tenant)

    def knows(self, tenant: str) -> bool:
        """Whether anything was recorded for a tenant and is still there: an episode or a run under way."""
        return bool(self.episodes.count(tenant=tenant) or self.open_runs.ids(tenant=tenant))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block is kept, or nothing; a block inside a block joins it."""
        with self._database.transaction():
            yield

    def after_commit(self, call: Callable[[], object]) -> None:
        """Call when others can read what this thread has written: at once, or behind its transaction; never where that fails."""
        self._database.after_commit(call)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in the block is of one moment, whatever others write meanwhile."""
        with self._database.snapshot():
            yield

    def erase(self, episodes: Iterable[str], lessons: Iterable[str] = ()) -> Erased:
        """Remove episodes (and lessons), all that was derived from them, and their bytes from the files.

        One transaction; then the log is emptied and the tenants' index files are discarded. Unknown ids are passed over.
        """
        return self._settled(erase(self, episodes, lessons))

    def erase_copies(self, texts: Iterable[str], holders: Iterable[str]) -> Erased:
        """Remove texts of episodes that are gone already from the episodes `holders`, and whatever follows from that."""
        return self._settled(erase_copies(self, texts, holders))

    def _settled(self, erased: Erased) -> Erased:
        discard(self.index_directory, erased.tenants)
        return replace(erased, scrubbed=self.scrub())

    def made_from(self, tenant: str, episodes: Iterable[str], lessons: Iterable[str] = ()) -> str:
        """Hash of what something is made from; `adapters.record` and `adapters.publish` compare it. Raises `NothingFound`."""
        return made_from(self._database, tenant, episodes, lessons)

    def find_text(self, text: str) -> list[Episode]:
        """Episodes of all tenants that hold a text, or whose id does, runs under way among them; reads every row."""
        return [*find_text(self._database, text), *(self.open_runs.get(id) for id in runs_with_text(self._database, text))]

    def schema(self) -> str:
        """The text of the file's tables and indexes, which stands in every record."""
        return "\n".join(sql for (sql,) in self._database.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))

    def scrub(self) -> bool:
        """Empty the write-ahead log, so that what was deleted is in no file any more; False while another process reads an old one."""
        return self._database.scrub(SCRUB_SECONDS)

    def rename_skill(self, tenant: str, old: str, new: str) -> int:
        """File everything of a tenant's skill under another name; returns how many episodes moved. An empty one unfiles them.

        Where the new name is a skill already, the two become one, and the new name's adapter goes on serving it.
        """
        with self._database.transaction() as connection:
            moved = self.episodes.find(tenant=tenant, skill=old)
            self.episodes.assign([episode.id for episode in moved], new)
            connection.execute("UPDATE lessons SET skill = ? WHERE tenant = ? AND skill = ?", (new, tenant, old))
            self.adapters.rename_skill(connection, tenant, old, new)
            self.cues.rename_skill(connection, tenant, old, new)
            self.open_runs.rename_skill(connection, tenant, old, new)
            raise_generations(connection, [tenant])
            self.state.rename_skill(connection, tenant, old, new)
        return len(moved)

    def vacuum(self) -> None:
        """Write the file anew, without any free page."""
        self._database.vacuum()
        self.scrub()

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
