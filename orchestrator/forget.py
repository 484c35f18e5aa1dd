"""Forget: close over provenance, unlearn, delete, rebuild what had learned from it, probe, write the receipt."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..core import Adapter, AdapterStatus, MalformedTask, NothingFound, Receipt
from ..envs import Environment
from ..learners import SkillHead
from ..memory import closure
from .components import Components
from .skill_heads import PROBED, difference, refit, refit_key, taken, told
from .sleep import Progress, SleepReport, sleep

EXACT = 1e-5
"""Largest difference of a logit that counts as rounding."""
PENDING = "forget/pending"
"""Journal key of an erasure that was promised and is not finished."""


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
    state = {"id": uuid.uuid4().hex[:12], "asked": asked, "ids": ids, "rebuild": rebuild, "erased": False}
    components.record.journal.set(PENDING, state)
    return finish(components, environments, progress=progress)


def finish(components: Components, environments: Mapping[str, Environment], *, progress: Progress | None = None) -> Receipt:
    """Carry out the pending erasure, from where it stands. Raises `NothingFound` when none is pending."""
    journal = components.record.journal
    state: dict[str, Any] | None = journal.get(PENDING, None)
    if state is None:
        raise NothingFound("no erasure is pending")
    heads: dict[str, SkillHead] = {}
    if not state["erased"]:
        heads = components.guarded("skill head", lambda: _unlearned(components, state["ids"]), {})
        # What has to go is written down first: once the rows are gone, a process that died in between could not tell any more.
        again = "tenants" in state
        if not again:
            state |= _plan(components, state["ids"])
            journal.set(PENDING, state)
        erased = components.record.erase(state["ids"])
        traced = {*erased.codebooks, *(one for one in state["cued"] if again and components.record.cues.find(tenant=one))}
        traces = [f"a codebook of the cues of tenant {tenant!r}, fitted with the help of what is gone" for tenant in sorted(traced)]
        state |= {"cues_lost": len(erased.cues), "traces": traces, "erased": True}
        journal.set(PENDING, state)
    affected = [components.record.adapters.get(name) for name in state["adapters"]]
    for adapter in affected:
        components.retire(adapter.name)
        shutil.rmtree(adapter.path, ignore_errors=True)
    for tenant in state["tenants"]:
        journal.delete(refit_key(tenant))
        components.head_file(tenant).unlink(missing_ok=True)
    components.index.rebuild(components.record)
    components.unlearn_caches()
    apart = _apart(components, heads)
    nights = _rebuild(components, environments, affected, state["tenants"], progress) if state["rebuild"] else []
    found = probe(components, state["ids"], affected)
    receipt = Receipt(
        id=state["id"],
        asked=state["asked"],
        episodes=len(state["ids"]),
        lessons=state["lessons"],
        adapters_erased=tuple(state["adapters"]),
        adapters_rebuilt=tuple(night.adapter for night in nights if night.published),
        probe=found,
        erasure="approximate" if state["traces"] or any(found.values()) or (apart or 0) > EXACT else "exact",
        head_difference=apart,
        cues_lost=state["cues_lost"],
        traces=tuple(state["traces"]),
        created=time.time(),
    )
    components.record.receipts.record(receipt)
    journal.delete(PENDING)
    return receipt


def _unlearned(components: Components, ids: list[str]) -> dict[str, SkillHead]:
    """The heads that knew these episodes, once they have unlearned them."""
    heads: dict[str, SkillHead] = {}
    for tenant, (vectors, skills) in taken(components.record, ids).items():
        heads[tenant] = components.skill_head(tenant)
        heads[tenant].unlearn(vectors, skills)
    return heads


def _plan(components: Components, ids: list[str]) -> dict[str, Any]:
    """What rests on these episodes."""
    record, rests = components.record, closure(components.record, ids)
    cued = record.cues.tenants(ids)
    tenants = sorted({*cued, *(tenant for tenant in record.episodes.tenants() if record.episodes.among(ids, tenant=tenant))})
    return {"lessons": len(rests.lessons), "adapters": list(rests.adapters), "tenants": tenants, "cued": cued}


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
    components: Components, environments: Mapping[str, Environment], erased: list[Adapter], tenants: list[str], progress: Progress | None
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
