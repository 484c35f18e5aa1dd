"""Run state: everything that is kept between two steps of the work, apart from what is remembered. No other module has keys of its own.

Each class is one kind of value in `record.state`; its fields `tenant`, `skill` and `id` are the exact key, so that no tenant's
state can be read or dropped with another's (invariant Tenants), and what was begun is found again after a crash (Durability).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum, StrEnum
from typing import ClassVar

from ..core import SkillGate, StoreError
from ..memory import Record


@dataclass(frozen=True, kw_only=True)
class HomeStamp:
    """What a home was made with."""

    KIND: ClassVar[str] = "home"
    encoder: str
    """Name of the encoder."""
    adapters_sealed: bool = False
    """Whether its adapters have manifests; those that a version without manifests has written get one once."""


@dataclass(frozen=True, kw_only=True)
class RelabelCount:
    """How often a person has filed a tenant's episodes anew; caches made before the last time are stale."""

    KIND: ClassVar[str] = "relabel_count"
    tenant: str
    """Whose episodes."""
    count: int = 0
    """How often."""


@dataclass(frozen=True, kw_only=True)
class DiscoverCounts:
    """What the last look for new skills left behind."""

    KIND: ClassVar[str] = "discover_counts"
    tenant: str
    """Whose tasks."""
    waiting: int = 0
    """Unknown tasks that joined no skill."""
    named: int = 0
    """Skills discovered so far; their provisional names are numbered by it."""
    skills: int = 0
    """Skills with a name of their own at the last look."""
    kinds: int = 0
    """How many kinds of tasks there are in all, known ones included, as estimated at the last look; 0 before it."""
    kinds_low: int = 0
    """Lower end of the estimate's interval."""
    kinds_high: int = 0
    """Upper end of it."""


@dataclass(frozen=True, kw_only=True)
class RefitStamp:
    """What the tenant's skill head was last refitted on; a refit of other data is not read."""

    KIND: ClassVar[str] = "refit_stamp"
    tenant: str
    """Whose head."""
    episodes: tuple[int, int]
    """Fingerprint of the tenant's episodes: how many there are, and the number of the newest."""
    filed: int
    """How many of them belong to a skill."""
    relabel_count: int
    """How often they had been filed anew."""


@dataclass(frozen=True, kw_only=True)
class RecallWeights:
    """What recall has learned from the use of a tenant's turns; made anew of what is left after every erasure."""

    KIND: ClassVar[str] = "recall_weights"
    tenant: str
    """Whose use."""
    signals: tuple[float, ...]
    """Weight of each signal; empty where those that come with the package serve on."""
    questions: int
    """Questions learned from."""
    gain: float
    """Rise of the mean reciprocal rank on questions that were not learned from."""
    lowest_gain: float
    """Lower end of its interval."""


class NightState(StrEnum):
    """How a night stands."""

    RUNNING = "running"
    PUBLISHED = "published"
    REJECTED = "rejected"
    NOTHING_TO_LEARN = "nothing_to_learn"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class PendingSleep:
    """A skill whose consolidation has begun and not ended."""

    KIND: ClassVar[str] = "pending_sleep"
    tenant: str
    """Whose skill."""
    skill: str
    """Which skill."""
    number: int
    """Number of its report."""
    adapter: str
    """Name that was reserved for the candidate."""
    started: float
    """Seconds since the epoch."""


@dataclass(frozen=True, kw_only=True)
class SleepReport:
    """What one night did for one skill, and why."""

    KIND: ClassVar[str] = "sleep_report"
    tenant: str
    """Whose night."""
    skill: str
    """The skill it worked on."""
    number: int
    """A tenant's reports are counted from 1."""
    adapter: str
    """The candidate's name, empty when there was nothing to train on."""
    published: bool
    """Whether the candidate went live."""
    reason: str
    """Why, or why not, in one sentence."""
    lessons: int
    """Lessons written."""
    samples: int
    """Training samples of the skill itself."""
    replayed: int
    """Training samples of other skills."""
    loss: tuple[float, ...]
    """Mean training loss of each epoch, in nats a token."""
    gate: tuple[SkillGate, ...]
    """The gate's figures."""
    phases: dict[str, float] = field(default_factory=dict, compare=False)
    """Seconds by phase."""
    state: NightState = NightState.NOTHING_TO_LEARN
    """How it ended."""
    practised: int = 0
    """Training samples that were made up as exercises."""
    plan: str = ""
    """What it did beside learning from what is verified, and from what there was; empty where it was not planned."""
    started: float = field(default=0.0, compare=False)
    """Seconds since the epoch."""
    ended: float = field(default=0.0, compare=False)
    """Seconds since the epoch."""

    @property
    def id(self) -> str:
        """The number as a key that sorts."""
        return f"{self.number:06d}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How often a part failed while the answer went out all the same (invariant Fail open), over all starts."""

    KIND: ClassVar[str] = "fault"
    id: str
    """The part."""
    count: int
    """How often."""
    error: str
    """Type of the last error; its text may hold what a person said, and is not kept."""
    last: float
    """When that was, in seconds since the epoch."""


@dataclass(frozen=True, kw_only=True)
class OtherMemory:
    """Another memory layer whose text stood in the prompts of a tenant."""

    KIND: ClassVar[str] = "other_memory"
    tenant: str
    """Whose prompts."""
    id: str
    """The layer."""
    runs: int = 0
    """In how many runs."""
    last: float = field(default=0.0, compare=False)
    """In the newest when, in seconds since the epoch."""


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """Memory and adapter of a skill that did harm: withdrawn until a night publishes something new for it."""

    KIND: ClassVar[str] = "withdrawn"
    tenant: str
    """Whose skill."""
    skill: str
    """The skill; empty for tasks of none."""
    active: bool = True
    """Whether it is withdrawn now."""
    since: int = 0
    """Number of the row after which runs count, once it is there again."""
    reason: str = ""
    """The figures that showed it."""
    created: float = field(default=0.0, compare=False)
    """When, in seconds since the epoch."""


@dataclass(frozen=True, kw_only=True)
class Night:
    """One night of a tenant over all its skills, as those see it who asked for it."""

    KIND: ClassVar[str] = "night"
    tenant: str
    """Whose night."""
    id: str
    """What it is asked for by."""
    pid: int
    """Process that runs it."""
    host: str
    """Machine of that process."""
    started: float
    """Seconds since the epoch."""
    state: NightState = NightState.RUNNING
    """How it stands, or ended."""
    reason: str = ""
    """Why it ended so."""
    phase: str = ""
    """The phase that runs, `waiting` before the first; of a night that failed, the one in which it did; else empty once it has ended."""
    ended: float = 0.0
    """Seconds since the epoch, 0 while it runs."""
    reports: tuple[int, ...] = ()
    """Numbers of its sleep reports, one a skill."""


@dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """How an environment's unseen tasks went after a night of a run."""

    KIND: ClassVar[str] = "evaluation"
    tenant: str = "default"
    """For whom the run acts."""
    skill: str
    """The environment, without its version."""
    night: int
    """After which night of the schedule; 0 is before the first."""
    tasks: int
    """How many tasks."""
    tokens: int
    """Tokens read and written."""
    each: tuple[bool, ...]
    """Success of each task, in order."""
    answers: tuple[str, ...] = ()
    """What the agent did in the first few tasks, in order and shortened, for the report."""

    @property
    def id(self) -> str:
        """The night as a key that sorts."""
        return f"{self.night:06d}"


@dataclass(frozen=True, kw_only=True)
class RunSeconds:
    """Wall-clock seconds that a run has taken so far, over all its starts."""

    KIND: ClassVar[str] = "run_seconds"
    tenant: str = "default"
    """For whom the run acts."""
    seconds: float = 0.0
    """Seconds."""


def count_fault(record: Record, part: str, error: Exception) -> None:
    """Note that a part failed once more. A record that cannot be written says nothing: the answer matters more."""
    with suppress(StoreError), record.transaction():
        before = record.state.get(Fault, id=part)
        count = before.count + 1 if before else 1
        record.state.put(Fault(id=part, count=count, error=type(error).__name__, last=time.time()))


def count_other_memories(record: Record, tenant: str, layers: Iterable[str]) -> None:
    """Note that text of these layers stood in one more run."""
    for layer in layers:
        with record.transaction():
            before = record.state.get(OtherMemory, tenant=tenant, id=layer)
            record.state.put(OtherMemory(tenant=tenant, id=layer, runs=(before.runs if before else 0) + 1, last=time.time()))


def relabel_count(record: Record, tenant: str) -> int:
    """How often the tenant's episodes have been filed anew."""
    return (record.state.get(RelabelCount, tenant=tenant) or RelabelCount(tenant=tenant)).count


def count_relabelling(record: Record, tenant: str) -> None:
    """Note that the tenant's episodes have been filed anew once more."""
    with record.transaction():
        record.state.put(RelabelCount(tenant=tenant, count=relabel_count(record, tenant) + 1))


def report_count(record: Record, tenant: str) -> int:
    """How many sleep reports a tenant has."""
    return max((report.number for report in record.state.find(SleepReport, tenant=tenant)), default=0)


def blank_texts(record: Record, tenants: Iterable[str], texts: Collection[str]) -> None:
    """Put `[erased]` in the place of every answer and reason of these tenants' state that holds one of the texts."""

    def kept(text: str) -> str:
        return "[erased]" if any(one in text for one in texts) else text

    with record.transaction():
        for tenant in tenants:
            rows: list[EvaluationRow | SleepReport | Night] = [
                replace(row, answers=tuple(map(kept, row.answers))) for row in record.state.find(EvaluationRow, tenant=tenant)
            ]
            rows += [replace(row, reason=kept(row.reason)) for row in record.state.find(SleepReport, tenant=tenant)]
            rows += [replace(row, reason=kept(row.reason)) for row in record.state.find(Night, tenant=tenant)]
            for row in rows:
                record.state.put(row)


def state_words() -> set[str]:
    """Names of fields and values that run state is written with."""
    return words_of(globals().values())


def words_of(things: Iterable[object]) -> set[str]:
    """Names of the fields of dataclasses, and values of enumerations, among the things."""
    words: set[str] = set()
    for thing in things:
        if isinstance(thing, type) and issubclass(thing, Enum):
            words |= {str(member.value) for member in thing}
        elif isinstance(thing, type) and is_dataclass(thing):
            words |= {one.name for one in fields(thing)} | {str(getattr(thing, "KIND", ""))}
    return words
