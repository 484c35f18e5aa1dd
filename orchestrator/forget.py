"""Forget: close over provenance, unlearn, delete, rebuild what had learned from it, probe, write the receipt."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..core import Adapter, AdapterStatus, MalformedTask, NothingFound, Receipt
from ..envs import Environment
from ..learners import SkillHead
from ..memory import closure
from .components import Components
from .run_state import PendingErasure, RefitStamp, SleepReport
from .skill_heads import PROBED, difference, refit, taken, told
from .sleep import Progress, sleep

EXACT = 1e-5
"""Largest difference of a logit that counts as rounding."""


def forget(
    components: Components,
    environments: Mapping[str, Environment],
    *,
    episode: str = "",
    tenant: str = "",
    skill: str = "",
    rebuild: bool = True,
    progress: Progress | None = None,
) -> Receipt:
    """Erase one episode, or a tenant, or a skill (of one tenant where both are given), and everything made of it.

    Rows, vectors and citing lessons go in one transaction; adapters that saw the data stop serving at once, their
    files are deleted, and with `rebuild` their skills sleep again without the data. Continues by itself after a crash.
    Raises `MalformedTask` when nothing is named, `NothingFound` when nothing matches.
    """
    asked = " ".join(f"{name}={value}" for name, value in (("episode", episode), ("tenant", tenant), ("skill", skill)) if value)
    if not asked:
        raise MalformedTask("name what to forget: an episode, a tenant or a skill")
    ids = _matching(components, episode, tenant, skill)
    if not ids:
        raise NothingFound(f"nothing recorded matches {asked}")
    pending = PendingErasure(id=uuid.uuid4().hex[:12], asked=asked, episodes=tuple(ids), rebuild=rebuild)
    components.record.state.put(pending)
    return finish(components, environments, pending, progress=progress)


def finish(
    components: Components, environments: Mapping[str, Environment], state: PendingErasure, *, progress: Progress | None = None
) -> Receipt:
    """Carry out a pending erasure, from where it stands."""
    store = components.record.state
    ids = list(state.episodes)
    heads: dict[str, SkillHead] = {}
    if not state.erased:
        heads = components.guarded("skill head", lambda: _unlearned(components, ids), {})
        # What has to go is written down first: once the rows are gone, a process that died in between could not tell any more.
        again = state.planned
        if not again:
            state = _planned(components, state)
            store.put(state)
        erased = components.record.erase(ids)
        traced = {*erased.codebooks, *(one for one in state.cued if again and components.record.cues.find(tenant=one))}
        traces = [f"a codebook of the cues of tenant {tenant!r}, fitted with the help of what is gone" for tenant in sorted(traced)]
        state = replace(state, cues_lost=len(erased.cues), traces=tuple(traces), erased=True)
        store.put(state)
    affected = [components.record.adapters.get(name) for name in state.adapters]
    for adapter in affected:
        components.retire(adapter.name)
        shutil.rmtree(adapter.path, ignore_errors=True)
    for tenant in state.tenants:
        store.delete(RefitStamp, tenant=tenant)
        components.head_file(tenant).unlink(missing_ok=True)
    components.index.rebuild(components.record)
    components.unlearn_caches()
    apart = _apart(components, heads)
    nights = _rebuild(components, environments, affected, state.tenants, progress) if state.rebuild else []
    found = probe(components, ids, affected)
    receipt = Receipt(
        id=state.id,
        asked=state.asked,
        episodes=len(ids),
        lessons=state.lessons,
        adapters_erased=state.adapters,
        adapters_rebuilt=tuple(night.adapter for night in nights if night.published),
        probe=found,
        erasure="approximate" if state.traces or any(found.values()) or (apart or 0) > EXACT else "exact",
        head_difference=apart,
        cues_lost=state.cues_lost,
        traces=state.traces,
        created=time.time(),
    )
    components.record.receipts.record(receipt)
    store.delete(PendingErasure, id=state.id)
    return receipt


def _unlearned(components: Components, ids: list[str]) -> dict[str, SkillHead]:
    """The heads that knew these episodes, once they have unlearned them."""
    heads: dict[str, SkillHead] = {}
    for tenant, (vectors, skills) in taken(components.record, ids).items():
        heads[tenant] = components.skill_head(tenant)
        heads[tenant].unlearn(vectors, skills)
    return heads


def _planned(components: Components, state: PendingErasure) -> PendingErasure:
    """The erasure with what rests on its episodes."""
    ids = list(state.episodes)
    record, rests = components.record, closure(components.record, ids)
    cued = record.cues.tenants(ids)
    tenants = sorted({*cued, *(tenant for tenant in record.episodes.tenants() if record.episodes.among(ids, tenant=tenant))})
    return replace(
        state, planned=True, lessons=len(rests.lessons), adapters=tuple(rests.adapters), tenants=tuple(tenants), cued=tuple(cued)
    )


def _apart(components: Components, heads: Mapping[str, SkillHead]) -> float | None:
    """How far the heads that have unlearned are from heads made anew of what is left; where they agree, the former serve on."""
    apart: list[float] = []
    for tenant, head in heads.items():
        vectors, _ = told(components.record, tenant)
        apart.append(difference(head, components.skill_head(tenant), vectors[-PROBED:]))
        if apart[-1] <= EXACT:
            components.skill_heads[tenant] = head
    return max(apart, default=None)


def probe(components: Components, ids: list[str], adapters: list[Adapter]) -> dict[str, float]:
    """Look for what should be gone; every figure is a count and zero when the erasure worked."""
    gone = set(ids)
    left = components.record.episodes.find()
    lessons = [lesson for tenant in {e.task.tenant for e in left} for lesson in components.record.lessons.find(tenant=tenant)]
    serving = [a for a in components.record.adapters.find() if a.status in (AdapterStatus.LIVE, AdapterStatus.CANDIDATE)]
    return {
        "episodes_left": float(sum(episode.id in gone for episode in left)),
        "lessons_citing_left": float(sum(bool(gone & set(lesson.episodes)) for lesson in lessons)),
        "adapters_serving_left": float(sum(bool(gone & set(adapter.episodes)) for adapter in serving)),
        "cues_left": float(len(components.record.cues.find(episodes=ids))),
        "adapter_files_left": float(sum(Path(adapter.path).exists() for adapter in adapters)),
    }


def _matching(components: Components, episode: str, tenant: str, skill: str) -> list[str]:
    record = components.record
    if not episode:
        filed = [found.id for found in record.episodes.find(tenant=tenant or None, skill=skill or None)]
        return filed + sorted(set(record.cues.find(tenant=tenant or None, skill=skill or None)) - set(filed))
    if cued := record.cues.find(episodes=[episode]):
        return cued
    # The expert's run of a task is the same experience; it goes with the run it corrects.
    asked = record.episodes.get(episode)
    same = record.episodes.find(tenant=asked.task.tenant, environment=asked.task.environment)
    return [episode] + [e.id for e in same if e.task.id == asked.task.id and e.id != episode and e.demonstration]


def _rebuild(
    components: Components,
    environments: Mapping[str, Environment],
    erased: list[Adapter],
    tenants: Sequence[str],
    progress: Progress | None,
) -> list[SleepReport]:
    """The skills whose adapters are gone sleep again on what is left; the gate holds as on any other night. Heads are refitted."""
    nights: list[SleepReport] = []
    for tenant, skill in sorted({(adapter.tenant, adapter.target) for adapter in erased}):
        if components.record.episodes.count(tenant=tenant, skill=skill, trainable=True):
            nights += sleep(components, environments, tenant=tenant, skills=[skill], progress=progress)
    for tenant in tenants:
        file = components.head_file(tenant)
        components.guarded("refit", partial(refit, components.record, tenant, components.skill_head(tenant), file), None)
    return nights
