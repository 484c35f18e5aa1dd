"""`Store`: what a place for experience does, whatever database it stands on. `checks.check_store` says it in code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..core import Episode, Lesson, Outcome
from ..numerics.arrays import Vector


class Fingerprint(NamedTuple):
    """Names the exact set of a tenant's episodes: row numbers are never used twice."""

    episodes: int
    """How many there are."""
    last: int
    """Number of the newest row ever written."""


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
    derived: tuple[str, ...] = ()
    """Ids of the episodes that went although nobody named them, because their own request quotes an erased answer."""
    rewritten: tuple[str, ...] = ()
    """Ids of the episodes that stay without what they were shown, quoted or repeated."""
    tenants: tuple[str, ...] = ()
    """Tenants that were touched."""
    scrubbed: bool = True
    """Whether the write-ahead log is empty; False while another process still reads the old one."""


class Episodes(Protocol):
    """Runs and their embeddings."""

    def record(self, episode: Episode, vector: Vector) -> None: ...
    def get(self, id: str) -> Episode: ...
    def find(self, *, tenant: str | None = None, skill: str | None = None, limit: int | None = None) -> list[Episode]: ...
    def get_many(self, ids: Sequence[str], *, tenant: str) -> list[Episode]: ...
    def vectors(self, *, tenant: str) -> tuple[list[str], Vector]: ...
    def judge(self, id: str, outcome: Outcome, correction: str = "") -> Episode: ...


class Lessons(Protocol):
    """Principles and the episodes that prove them."""

    def record(self, lesson: Lesson) -> Lesson: ...
    def find(self, tenant: str) -> list[Lesson]: ...


class Store(Protocol):
    """Durable and safe for threads and processes; nothing of one tenant reaches another."""

    @property
    def episodes(self) -> Episodes: ...
    @property
    def lessons(self) -> Lessons: ...
    def transaction(self) -> AbstractContextManager[None]: ...
    def generation(self, tenant: str) -> int: ...
    def erase(self, episodes: Iterable[str]) -> Erased: ...
    def close(self) -> None: ...
