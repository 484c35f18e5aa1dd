"""The components that wake, sleep and forget share, and the draws that decide by hash instead of by a generator."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..agents import Actor, Writer
from ..core import Episode, Settings
from ..learners import SkillHead
from ..memory import Record, VectorIndex
from ..perception import Encoder, OutcomeModel, Recogniser
from ..serving import Engine
from .run_state import count_fault, relabel_count
from .skill_heads import head_file, head_of, told

log = logging.getLogger("lifelong")

T = TypeVar("T")
Vector = NDArray[np.float32]


RECENT = 1024
"""Newest episodes of a skill that an outcome model is told of; it keeps a quarter, and corrections and control runs lie between."""


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
    recognisers: dict[str, Recogniser] = field(default_factory=dict)
    """One per tenant, built when first asked for."""
    skill_heads: dict[str, SkillHead] = field(default_factory=dict)
    """One per tenant, built when first asked for."""
    outcome_models: dict[str, OutcomeModel] = field(default_factory=dict)
    """One per tenant, built when first asked for."""
    relabel_counts: dict[str, int] = field(default_factory=dict)
    """How often each tenant's episodes had been filed anew when last looked."""
    ready: set[str] = field(default_factory=set)
    """Adapters that the engine holds."""
    faults: Counter[str] = field(default_factory=Counter)
    """How often a part failed and the answer went out all the same (law 10)."""

    @property
    def actor(self) -> Actor:
        """Who runs tasks on the engine."""
        return Actor(self.engine)

    @property
    def adapters_directory(self) -> Path:
        """Where adapter directories lie, one a version."""
        # Absolute, because the record keeps it and another process may serve from another working directory.
        return self.settings.home.resolve() / "adapters"

    def recogniser(self, tenant: str) -> Recogniser:
        """The tenant's recogniser, fitted on its recorded skills when first asked for."""
        if tenant not in self.recognisers:
            fresh = Recogniser(quantile=self.settings.wake.novelty_quantile, seed=self.settings.seed)
            fresh.fit(*told(self.record, tenant))
            self.recognisers[tenant] = fresh
        return self.recognisers[tenant]

    def skill_head(self, tenant: str) -> SkillHead:
        """What names the tenant's skills, told of the record when first asked for."""
        if tenant not in self.skill_heads:
            self.skill_heads[tenant] = head_of(self.record, tenant, self.head_file(tenant), self.settings.seed)
        return self.skill_heads[tenant]

    def head_file(self, tenant: str) -> Path:
        """Where the refit of a tenant's skill head is kept."""
        return head_file(self.settings.home, tenant)

    def skills(self, tenant: str) -> list[str]:
        """Names of the skills that have episodes, sorted."""
        return [skill for skill, _ in serving(self.record, tenant)]

    def outcome_model(self, tenant: str) -> OutcomeModel:
        """The tenant's outcome model, told of the newest recorded outcomes when first asked for."""
        if tenant not in self.outcome_models:
            self.outcome_models[tenant] = outcome_model_of(self.record, tenant)
        return self.outcome_models[tenant]

    def drop_stale_caches(self, tenant: str) -> None:
        """Drop what is derived from the tenant's record if somebody, in whatever process, has filed episodes anew."""
        times = relabel_count(self.record, tenant)
        if times != self.relabel_counts.setdefault(tenant, times):
            self.unlearn_caches(tenant)
            self.relabel_counts[tenant] = times

    def notice_judgement(self, before: Episode, after: Episode) -> None:
        """Keep what is derived from the record true when somebody has judged an episode."""
        tenant = after.task.tenant
        if before.skill != after.skill:
            self.unlearn_caches(tenant)
        elif before.outcome.success is None and tenant in self.outcome_models and has_outcome(after):
            _, vectors = self.record.episodes.vectors(tenant=tenant, ids=[after.id])
            learn_outcome(self.outcome_models[tenant], after, vectors[0])
        else:
            self.outcome_models.pop(tenant, None)

    def unlearn_caches(self, tenant: str | None = None) -> None:
        """Drop what is derived from the record, of one tenant or of all; it is derived again when next asked for."""
        for cache in (self.recognisers, self.skill_heads, self.outcome_models):
            for name in [tenant] if tenant is not None else list(cache):
                cache.pop(name, None)

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
        """The attempt's result, or `otherwise` when the part fails: the failure is logged and counted (law 10)."""
        try:
            return attempt()
        except Exception as error:
            self.faults[part] += 1
            count_fault(self.record, part, error)
            log.warning("%s failed and was passed over: %s", part, error, exc_info=True)
            return otherwise


def serving(record: Record, tenant: str) -> list[tuple[str, str]]:
    """Every skill of a tenant, sorted, with the adapter that serves it, empty for the base."""
    routes = record.adapters.routes(tenant)
    return [(skill, routes.get(skill, "")) for skill in record.episodes.skills(tenant=tenant)]


def outcome_model_of(record: Record, tenant: str) -> OutcomeModel:
    """A model that was told of the newest recorded outcomes of a tenant."""
    model = OutcomeModel()
    for skill, _ in serving(record, tenant):
        newest = record.episodes.find(tenant=tenant, skill=skill, newest_first=True, limit=RECENT)
        judged = {episode.id: episode for episode in newest if has_outcome(episode)}
        for id_, vector in zip(*record.episodes.vectors(tenant=tenant, ids=list(judged)), strict=True):
            learn_outcome(model, judged[id_], vector)
    return model


def has_outcome(episode: Episode) -> bool:
    """Whether an episode tells what the agent can do: filed under a skill, its own run, and judged by somebody else."""
    outcome = episode.outcome
    return bool(episode.skill) and not episode.demonstration and outcome.success is not None and outcome.judge.trusted


def learn_outcome(model: OutcomeModel, episode: Episode, vector: Vector) -> None:
    """Tell a model what became of an episode."""
    model.learn(vector, episode.skill, episode.adapter, bool(episode.outcome.success), episode.likelihood)


def draw(seed: int, *key: object) -> float:
    """A number in [0, 1) that depends on the seed and the key alone, so that a resumed run draws the same.

    >>> draw(0, "control", "task-1") == draw(0, "control", "task-1") != draw(1, "control", "task-1")
    True
    """
    digest = hashlib.sha256("\0".join(map(str, (seed, *key))).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
