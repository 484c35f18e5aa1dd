"""`Store`: what a place for experience does, whatever database it stands on. `checks.check_store` says it in code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, TypeVar

from ..core import Adapter, AdapterStatus, Episode, Lesson, LessonStatus, Outcome, Receipt, Step, Usage
from ..numerics.arrays import Vector
from .turns.passages import Utterance
from .turns.turn import IndexedTurn


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


@dataclass(frozen=True, kw_only=True)
class PendingErasure:
    """What has to be known to go on with an erasure once its rows are gone."""

    id: str
    """Unique; the receipt's id."""
    asked: str
    """What was asked, in the caller's words."""
    whole_tenant: str = ""
    """The tenant whose name goes too, where everything of a tenant was asked for."""
    ids: tuple[str, ...]
    """Episodes to erase; those found to quote them are added."""
    rebuild: bool
    """Whether their skills sleep again afterwards."""
    needles: tuple[str, ...] = ()
    """Texts that no file may hold afterwards."""
    planned: bool = False
    """Whether what follows was written down."""
    erased: bool = False
    """Whether the rows are gone."""
    derived: int = 0
    """Of the episodes, those that nobody named and that quote an erased answer."""
    rewritten: int = 0
    """Episodes that stay without copies of the erased."""
    lessons: int = 0
    """Lessons removed."""
    adapters: tuple[tuple[str, str, str, str], ...] = ()
    """Name, path, tenant and skill of the adapters that had seen the data."""
    tenants: tuple[str, ...] = ()
    """Tenants that were touched."""
    cued: tuple[str, ...] = ()
    """Tenants of whose cues some were of erased episodes."""
    cues_lost: int = 0
    """Other episodes whose cues went too."""
    documents: tuple[str, ...] = ()
    """Files of a run beside the home that quoted its episodes, and checkpoints of a navigator made of them, that were deleted."""
    traces: tuple[str, ...] = ()
    """What was made with the help of the erased and stays, in words."""


KEYS = ("tenant", "skill", "id")
"""Fields that make up the key of a value, in their order; a class that lacks one of them has the empty string there."""


class State(Protocol):
    """A frozen dataclass that can be kept; of its fields, those named in `KEYS` are its key and the rest is its body."""

    KIND: ClassVar[str]
    """What sets its rows apart from those of other classes."""


S = TypeVar("S", bound=State)


class Episodes(Protocol):
    """Runs and their embeddings."""

    def record(self, episode: Episode, vector: Vector) -> None: ...
    def get(self, id: str) -> Episode: ...
    def find(self, *, tenant: str | None = None, skill: str | None = None, limit: int | None = None) -> list[Episode]: ...
    def get_many(self, ids: Sequence[str], *, tenant: str) -> list[Episode]: ...
    def vectors(self, *, tenant: str) -> tuple[list[str], Vector]: ...
    def judge(self, id: str, outcome: Outcome, correction: str = "") -> Episode: ...


class OpenRuns(Protocol):
    """Runs under way, each step durable as it happens."""

    def begin(self, episode: Episode, vector: Vector) -> bool: ...
    def append(self, id: str, steps: Sequence[Step], usage: Usage | None = None) -> int: ...
    def get(self, id: str) -> Episode: ...
    def ids(self, *, tenant: str | None = None, skill: str | None = None, session: str | None = None) -> list[str]: ...
    def finish(self, episode: Episode) -> None: ...
    def discard(self, id: str) -> None: ...


class Turns(Protocol):
    """What was said in conversations, indexed after it was recorded."""

    def waiting(self, limit: int) -> list[tuple[int, Episode]]: ...
    def add(self, sequence: int, episode: Episode, said: Sequence[Utterance], vectors: Vector) -> None: ...
    def count(self, tenant: str) -> int: ...
    def get(self, tenant: str, numbers: Iterable[int]) -> list[IndexedTurn]: ...
    def texts(self, tenant: str, numbers: Iterable[int]) -> dict[int, tuple[str, str]]: ...
    def newest(self, tenant: str, limit: int, speaker: str = "") -> list[int]: ...


class Lessons(Protocol):
    """Principles and the episodes that prove them."""

    def record(self, lesson: Lesson) -> Lesson: ...
    def find(self, tenant: str) -> list[Lesson]: ...
    def credit(self, ids: Iterable[str], success: bool | None, *, instead_of: bool | None = None) -> None: ...
    def set_status(self, ids: Iterable[str], status: LessonStatus) -> None: ...


class Adapters(Protocol):
    """Versioned adapters, the episodes and lessons that they learned from, and which one serves which skill."""

    def next_name(self) -> str: ...
    def record(self, adapter: Adapter) -> None: ...
    def get(self, name: str) -> Adapter: ...
    def find(self, tenant: str | None = None, status: AdapterStatus | None = None) -> list[Adapter]: ...
    def publish(self, adapter: Adapter, skills: Iterable[str]) -> None: ...
    def route(self, tenant: str, skill: str) -> str: ...
    def routes(self, tenant: str) -> dict[str, str]: ...
    def rollback(self, tenant: str, skill: str | None = None) -> list[str]: ...


class Leavings(Protocol):
    """Episodes that have left the budget, and what is still known of them: cues, or what they were linked to."""

    def find(self, *, tenant: str | None = None, episodes: Iterable[str] | None = None) -> list[str]: ...
    def tenants(self, episodes: Iterable[str]) -> list[str]: ...


class States(Protocol):
    """Where the work under way stands: one value for each exact key."""

    def get(self, kind: type[S], *, tenant: str = "", skill: str = "", id: str = "") -> S | None: ...
    def find(self, kind: type[S], *, tenant: str | None = None, skill: str | None = None) -> list[S]: ...
    def put(self, value: State) -> None: ...
    def delete(self, kind: type[State], *, tenant: str = "", skill: str = "", id: str = "") -> None: ...


class Receipts(Protocol):
    """What was erased, when, and what was found afterwards."""

    def record(self, receipt: Receipt) -> None: ...
    def find(self) -> list[Receipt]: ...


class Erasures(Protocol):
    """Erasures that were promised and are not finished."""

    def put(self, pending: PendingErasure) -> None: ...
    def find(self) -> list[PendingErasure]: ...
    def delete(self, id: str) -> None: ...


class Store(Protocol):
    """Durable and safe for threads and processes; nothing of one tenant reaches another."""

    @property
    def episodes(self) -> Episodes: ...
    @property
    def open_runs(self) -> OpenRuns: ...
    @property
    def turns(self) -> Turns: ...
    @property
    def lessons(self) -> Lessons: ...
    @property
    def adapters(self) -> Adapters: ...
    @property
    def cues(self) -> Leavings: ...
    @property
    def compressed(self) -> Leavings: ...
    @property
    def state(self) -> States: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def erasures(self) -> Erasures: ...
    def transaction(self) -> AbstractContextManager[None]: ...
    def after_commit(self, call: Callable[[], object]) -> None: ...
    def generation(self, tenant: str) -> int: ...
    def made_from(self, tenant: str, episodes: Iterable[str], lessons: Iterable[str] = ()) -> str: ...
    def find_text(self, text: str) -> list[Episode]: ...
    def erase(self, episodes: Iterable[str]) -> Erased: ...
    def scrub(self) -> bool: ...
    def close(self) -> None: ...
