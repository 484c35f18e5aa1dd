"""The components that wake, sleep and forget share."""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..agents import Strategy, Writer
from ..core import Settings, StoreError
from ..core.plugins import create
from ..memory import Record, VectorIndex
from ..perception import Encoder, RecentEncoder
from ..serving import Engine
from .perceiver import Perceiver
from .run_state import count_fault
from .turn_memory import TurnMemory

log = logging.getLogger("lifelong")

T = TypeVar("T")


class Perceivers:
    """The perceivers in use, the most recently asked last; beyond `limit` tenants the one that waited longest is saved and given back."""

    def __init__(self, record: Record, settings: Settings) -> None:
        self._record = record
        self._settings = settings
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Perceiver] = OrderedDict()

    def get(self, tenant: str) -> Perceiver:
        """The tenant's perceiver, in step with the record. Raises `StoreError`."""
        # The lock covers the table alone; reading a record or a file is done under the tenant's own.
        with self._lock:
            perceiver = self._open.get(tenant)
            if perceiver is not None:
                self._open.move_to_end(tenant)
        if perceiver is None:
            fresh = Perceiver(self._record, tenant, self._settings)
            with self._lock:
                perceiver = self._open.setdefault(tenant, fresh)
                given_back = [self._open.popitem(last=False)[1] for _ in range(len(self._open) - self._settings.memory.tenants_in_memory)]
            for one in given_back:
                _attempt(one.close)
        return perceiver.refresh()

    def save(self) -> None:
        """Write the states of all tenants in memory; a failure is logged, since everything can be made again from the record."""
        with self._lock:
            perceivers = list(self._open.values())
        for one in perceivers:
            _attempt(one.save)

    def close(self) -> None:
        """Save all and give them back. May be called twice."""
        with self._lock:
            perceivers, self._open = list(self._open.values()), OrderedDict()
        for one in perceivers:
            _attempt(one.close)


@dataclass
class Components:
    """What a running learner is made of."""

    settings: Settings
    """All settings."""
    engine: Engine
    """Where the model runs."""
    encoder: Encoder
    """Texts to unit vectors."""
    record: Record
    """The durable record."""
    index: VectorIndex
    """A rebuildable cache over the record's vectors."""
    base_path: Path
    """Directory of the base model, for training."""
    writer: Writer | None = None
    """A stronger model that words lessons, where one is configured."""
    _made: tuple[tuple[str, Engine], Strategy] | None = field(default=None, init=False)
    """A strategy, and what it was made for."""
    perceivers: Perceivers = field(init=False)
    """One perceiver per tenant, for as many tenants as the settings keep in memory."""
    turns: TurnMemory = field(init=False)
    """What people said."""
    _recent: RecentEncoder = field(init=False)
    """The encoder, with the rows that it gave lately."""
    ready: set[str] = field(default_factory=set)
    """Adapters that the engine holds."""
    faults: Counter[str] = field(default_factory=Counter)
    """How often a part failed and the answer went out all the same (invariant Fail open)."""

    @property
    def strategy(self) -> Strategy:
        """Who runs tasks on the engine; made when first asked for, since a request comes from here every time."""
        asked = (self.settings.wake.strategy, self.engine)
        if self._made is None or self._made[0] != asked:
            strategy: Strategy = create("strategies", asked[0], engine=self.engine)
            self._made = asked, strategy
        return self._made[1]

    @property
    def adapters_directory(self) -> Path:
        """Where adapter directories lie, one a version."""
        # Absolute, because the record keeps it and another process may serve from another working directory.
        return self.settings.home.resolve() / "adapters"

    def __post_init__(self) -> None:
        # What a request is perceived by, it is recalled, recorded and indexed by too.
        self._recent = RecentEncoder(self.encoder)
        self.encoder = self._recent
        self.perceivers = Perceivers(self.record, self.settings)
        self.turns = TurnMemory(self.record, self.encoder, learned=self.settings.memory.learn_recall)

    def perceiver(self, tenant: str) -> Perceiver:
        """What is known of a tenant's tasks, in step with the record. Raises `StoreError`."""
        return self.perceivers.get(tenant)

    def forget(self, tenants: Sequence[str]) -> None:
        """Let go of what is held in memory of what these tenants said; the record has it no more."""
        self.turns.forget(tenants)
        self._recent.forget()

    def skills(self, tenant: str) -> list[str]:
        """Names of the skills that have episodes, sorted."""
        return list(self.record.episodes.skills(tenant=tenant))

    def publish(self, name: str) -> str:
        """Make sure that the engine holds an adapter, and return its name; empty stays empty.

        Routes live in the record, where another process may change them: who serves one loads it when first needed.
        Raises `AdapterRejected` or `NothingFound`.
        """
        if name and name not in self.ready:
            self.engine.publish(self.record.adapters.get(name))
            self.ready.add(name)
        return name

    def retire(self, name: str) -> None:
        """Take an adapter away from the engine."""
        self.engine.retire(name)
        self.ready.discard(name)

    def guarded(self, part: str, attempt: Callable[[], T], otherwise: T) -> T:
        """The attempt's result, or `otherwise` when the part fails: the failure is logged and counted (invariant Fail open)."""
        try:
            return attempt()
        except Exception as error:
            self.note_fault(part, error)
            return otherwise

    def note_fault(self, part: str, error: Exception) -> None:
        """Log and count a failure that costs its part and nothing else (invariant Fail open)."""
        self.faults[part] += 1
        count_fault(self.record, part, error)
        log.warning("%s failed and was passed over: %s", part, error, exc_info=error)


def _attempt(work: Callable[[], None]) -> None:
    try:
        work()
    except (StoreError, OSError) as error:
        log.warning("a tenant's perception could not be kept (%s); it is made again from the record", error)
