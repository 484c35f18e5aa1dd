"""What names the skills of tasks: told of the record, refitted in sleep, and made to unlearn what is forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..learners import Refit, SkillHead, load_head, save_head
from ..memory import Record
from .run_state import RefitStamp, relabel_count

Vector = NDArray[np.float32]
Told = tuple[Vector, list[str]]
"""Vectors `(n, d)` of tasks and their skills."""

PROBED = 1000
"""Tasks, the newest ones, on which a head that has unlearned is compared with one that never saw what is gone."""


def told(record: Record, tenant: str) -> Told:
    """What a tenant's record tells of its skills: what cues recall of the episodes beyond the budget, then the recorded ones.

    A demonstration repeats the text of the task it corrects, and would make every task look familiar; it is left out.
    """
    filed = {episode.id: episode.skill for episode in record.episodes.find(tenant=tenant) if episode.skill and not episode.demonstration}
    return _joined(record.cues.recall(tenant), _seen(record, tenant, filed))


def taken(record: Record, ids: list[str]) -> dict[str, Told]:
    """What will be taken from what the record tells, tenant by tenant, when these episodes are erased."""
    gone = set(ids)
    found: dict[str, Told] = {}
    for tenant in {*record.episodes.tenants(), *record.cues.tenants(gone)}:
        filed = {e.id: e.skill for e in record.episodes.among(ids, tenant=tenant) if e.skill and not e.demonstration}
        found[tenant] = _joined(record.cues.recall(tenant, touched_by=gone), _seen(record, tenant, filed))
    return {tenant: one for tenant, one in found.items() if one[1]}


def head_of(record: Record, tenant: str, file: Path, seed: int) -> SkillHead:
    """A head that was told of a tenant's record, with the refit of its last sleep where that is still of these skills."""
    head = SkillHead(seed=seed)
    vectors, skills = told(record, tenant)
    head.learn(vectors, skills)
    stamp = record.state.get(RefitStamp, tenant=tenant)
    # Where a person has filed tasks anew since, the refit may name skills as nobody calls them any more.
    if stamp and file.exists() and stamp.relabel_count == relabel_count(record, tenant):
        load_head(head, file)
    return head


def refit(record: Record, tenant: str, head: SkillHead, file: Path) -> Refit | None:
    """Refit a head on all that the record tells, and keep the refit in a file; None where nothing has come since the last time."""
    filed = sum(record.episodes.skills(tenant=tenant).values())
    episodes, last = record.episodes.fingerprint(tenant)
    stamp = RefitStamp(tenant=tenant, episodes=(episodes, last), filed=filed, relabel_count=relabel_count(record, tenant))
    if record.state.get(RefitStamp, tenant=tenant) == stamp:
        return None
    # In this order a crash in between leaves a file that nobody reads.
    record.state.delete(RefitStamp, tenant=tenant)
    vectors, skills = told(record, tenant)
    found = head.refit(vectors, skills, recalled=len(record.cues.recall(tenant)[1]))
    file.parent.mkdir(parents=True, exist_ok=True)
    save_head(head, file)
    record.state.put(stamp)
    return found


def difference(one: SkillHead, other: SkillHead, vectors: Vector) -> float:
    """Largest difference of any score, skill by skill, on vectors `(n, d)`; infinite where they know other skills, 0 for none at all."""
    if set(one.skills) != set(other.skills):
        return float("inf")
    if not len(vectors) or not one.skills:
        return 0.0
    order = [other.skills.index(name) for name in one.skills]
    return float(np.abs(one.scores(vectors) - other.scores(vectors)[:, order]).max())


def head_file(home: Path, tenant: str) -> Path:
    """Where a tenant's refit is kept. A tenant's name is hashed: it may hold any character."""
    return home / "heads" / f"{hashlib.sha256(tenant.encode()).hexdigest()[:32]}.npz"


def _seen(record: Record, tenant: str, filed: Mapping[str, str]) -> Told:
    """Vectors and skills of recorded episodes; the zero vector, left by an encoder that failed, says nothing."""
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=list(filed))
    rows = np.flatnonzero(vectors.any(axis=1))
    return vectors[rows], [filed[ids[row]] for row in rows]


def _joined(first: Told, second: Told) -> Told:
    components = [part for part in (first, second) if len(part[1])]
    vectors = np.concatenate([vectors for vectors, _ in components]) if components else second[0]
    return vectors, [skill for _, skills in components for skill in skills]
