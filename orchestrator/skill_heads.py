"""What a record holds of its skills: labelled vectors and outcomes, the head and the outcome model that are built of them, the refit."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core import Episode, Verdict
from ..learners import Refit, SkillHead, load_head, save_head
from ..memory import Record
from ..numerics.arrays import Vector
from ..perception import OutcomeModel
from ..perception.recognition.naming import pooled
from .run_state import RefitStamp, relabel_count

Labelled = tuple[Vector, list[str]]
"""Vectors `(n, d)` of tasks and their skills."""

RECENT = 1024
"""Newest episodes of a skill from which an outcome model is made anew; it keeps a quarter, and corrections and control runs lie between."""
PROBED = 1000
"""Tasks, the newest ones, on which a head that has unlearned is compared with one that never saw what is gone."""


def labelled_vectors(record: Record, tenant: str) -> Labelled:
    """The tasks of a tenant's skills: what cues recall of the episodes beyond the budget, then the recorded ones.

    A demonstration repeats the text of the task it corrects, and would make every task look familiar; it is left out.
    """
    return concatenate(record.cues.recall(tenant), stored_vectors(record, tenant))


def vectors_to_erase(record: Record, ids: list[str]) -> dict[str, Labelled]:
    """Those of the labelled vectors that go when these episodes are erased, tenant by tenant."""
    gone = set(ids)
    found: dict[str, Labelled] = {}
    for tenant in {*record.episodes.owners(ids), *record.cues.tenants(gone)}:
        found[tenant] = concatenate(record.cues.recall(tenant, touched_by=gone), stored_vectors(record, tenant, ids))
    return found


def build_head(record: Record, tenant: str, seed: int) -> SkillHead:
    """A head in closed form, made anew of a tenant's record."""
    head = SkillHead(seed=seed)
    head.learn(*labelled_vectors(record, tenant))
    return head


def refit(record: Record, tenant: str, file: Path, seed: int) -> Refit | None:
    """Refit a head on all that the record holds, and keep the refit in a file; None where nothing has come since the last time."""
    episodes, last = record.episodes.fingerprint(tenant)
    filed = sum(record.episodes.skills(tenant=tenant).values())
    stamp = RefitStamp(tenant=tenant, episodes=(episodes, last), filed=filed, relabel_count=relabel_count(record, tenant))
    if record.state.get(RefitStamp, tenant=tenant) == stamp:
        return None
    # In this order a crash in between leaves a file that nobody reads.
    record.state.delete(RefitStamp, tenant=tenant)
    vectors, skills = labelled_vectors(record, tenant)
    head = SkillHead(seed=seed)
    head.learn(vectors, skills)
    found = head.refit(vectors, skills, recalled=len(record.cues.recall(tenant)[1]))
    file.parent.mkdir(parents=True, exist_ok=True)
    save_head(head, file)
    record.state.put(stamp)
    return found


def load_refit(record: Record, tenant: str, head: SkillHead, file: Path) -> None:
    """Let the refit of the last sleep answer in a head, where it is still of these skills; the closed form alone otherwise."""
    stamp, relabelled = refit_stamp(record, tenant)
    # Where a person has filed tasks anew since, the refit may name skills as nobody calls them any more.
    if file.exists() and stamp is not None and stamp.relabel_count == relabelled:
        load_head(head, file)
    else:
        head.drop_refit()


def with_refit(verdict: Verdict, head: SkillHead, vector: Vector) -> Verdict:
    """The verdict on a task `(d,)`, its skill named by the recogniser and by the refit of the last sleep together.

    The refit's networks read the meaning alone, the recogniser the wording too: each is right at times where the other is not.
    """
    if verdict.skill not in head.refitted:
        return verdict
    skill, confidence = pooled((verdict.skill, verdict.confidence), head.name(vector))
    return replace(verdict, skill=skill, confidence=confidence)


def refit_stamp(record: Record, tenant: str) -> tuple[RefitStamp | None, int]:
    """What the last refit was made of, None where there is none, and how often the tenant's episodes were filed anew."""
    return record.state.get(RefitStamp, tenant=tenant), relabel_count(record, tenant)


def difference(one: SkillHead, other: SkillHead, vectors: Vector) -> float:
    """Largest difference of any score, skill by skill, on vectors `(n, d)`; infinite where they know other skills, 0 for none at all."""
    if set(one.skills) != set(other.skills):
        return float("inf")
    if not len(vectors) or not one.skills:
        return 0.0
    order = [other.skills.index(name) for name in one.skills]
    return float(np.abs(one.scores(vectors) - other.scores(vectors)[:, order]).max())


def heads_directory(home: Path) -> Path:
    """Where what was learned of tenants' tasks is kept."""
    return home / "heads"


def head_file(home: Path, tenant: str) -> Path:
    """Where a tenant's refit is kept. A tenant's name is hashed: it may hold any character."""
    return heads_directory(home) / f"{hashlib.sha256(tenant.encode()).hexdigest()[:32]}.npz"


def state_file(home: Path, tenant: str) -> Path:
    """Where a tenant's perceiver is kept. A tenant's name is hashed: it may hold any character."""
    return heads_directory(home) / f"{hashlib.sha256(tenant.encode()).hexdigest()[:32]}.perceiver.npz"


def stored_vectors(record: Record, tenant: str, ids: list[str] | None = None) -> Labelled:
    """Vectors and skills of recorded episodes, of all or of `ids`; the zero vector, left by an encoder that failed, is skipped."""
    _, vectors, skills = record.episodes.labelled_vectors(tenant=tenant, ids=ids)
    rows = np.flatnonzero(vectors.any(axis=1))
    return vectors[rows], [skills[row] for row in rows]


def concatenate(first: Labelled, second: Labelled) -> Labelled:
    """The rows of both, in this order."""
    parts = [part for part in (first, second) if len(part[1])]
    vectors = np.concatenate([vectors for vectors, _ in parts]) if parts else second[0]
    return vectors, [skill for _, skills in parts for skill in skills]


def skill_routes(record: Record, tenant: str) -> list[tuple[str, str]]:
    """Every skill of a tenant, sorted, with the adapter that serves it, empty for the base."""
    routes = record.adapters.routes(tenant)
    return [(skill, routes.get(skill, "")) for skill in record.episodes.skills(tenant=tenant)]


def outcome_model_of(record: Record, tenant: str) -> OutcomeModel:
    """A model of the newest recorded outcomes of a tenant."""
    model = OutcomeModel()
    for skill in record.episodes.skills(tenant=tenant):
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
    """Add the outcome of an episode, in the place of an earlier one of the same."""
    model.learn(vector, episode.skill, episode.adapter, bool(episode.outcome.success), episode.likelihood, key=episode.id)
