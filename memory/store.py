"""`Store`: what a place for experience must be able to do, whatever database it stands on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from .sqlite.adapters import AdapterStore
from .sqlite.changes import ChangeLog
from .sqlite.episodes import EpisodeStore
from .sqlite.erase import Erased
from .sqlite.erasures import ErasureStore
from .sqlite.lessons import LessonStore
from .sqlite.receipts import ReceiptStore
from .sqlite.skill_cues import SkillCueStore
from .sqlite.state import StateStore


class Store(Protocol):
    """Durable, safe for threads and processes, one tenant never reads another's; see `checks.check_store`."""

    episodes: EpisodeStore
    changes: ChangeLog
    lessons: LessonStore
    adapters: AdapterStore
    receipts: ReceiptStore
    cues: SkillCueStore
    state: StateStore
    erasures: ErasureStore

    def transaction(self) -> AbstractContextManager[None]: ...
    def snapshot(self) -> AbstractContextManager[None]: ...
    def generation(self, tenant: str) -> int: ...
    def erase(self, episodes: Iterable[str], lessons: Iterable[str] = ()) -> Erased: ...
    def rename_skill(self, tenant: str, old: str, new: str) -> int: ...
    def close(self) -> None: ...
