"""Discover: tasks that were foreign one by one and are a kind together become a skill, and a person is asked what it is.

A discovered skill has a provisional name until somebody answers; it recalls, learns and forgets as any other meanwhile.
What can be asked follows from the record alone, so that nothing about it needs to be kept or erased.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core import EXPERT, MalformedTask, NothingFound
from ..memory import Record
from ..perception import ClassMoments, Discoverer, Discovery, SemiSupervisedKMeans, leave_one_out_novelty
from ..perception.scorer import unit
from ._parts import Parts, Vector, refiled

PROVISIONAL = re.compile(r"new-\d{4}")
"""What a discovered skill is called until a person names it."""
NONE = "none"
"""The answer that a discovered skill is none; its tasks go back to the buffer."""
EXAMPLES = 3
"""Tasks shown for a skill: those that belong to it most clearly."""
DOUBTFUL = 2
"""Further tasks asked about: those that belong to it least clearly."""
KNOWN_ROWS = 100
"""Most tasks of one known skill that discovery looks at, the newest ones."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person is asked: what kind of tasks these are."""

    skill: str
    """The discovered skill's provisional name; an answer names it."""
    size: int
    """How many tasks it has."""
    examples: tuple[tuple[str, str], ...]
    """Episode id and text of the tasks that belong to it most clearly."""
    doubtful: tuple[tuple[str, str], ...]
    """The same of those that belong to it least clearly; each can be answered by itself."""


def discover(parts: Parts, tenant: str, discoverer: Discoverer | None = None) -> list[str]:
    """Look for new skills among the tenant's foreign tasks, once enough new ones have come; returns their provisional names.

    A task joins a skill only where it would not be foreign to the others of its group, and a group becomes a skill only
    with `sleep.min_episodes` such tasks. All of it happens in one transaction.
    """
    settings, record, key = parts.settings.sleep, parts.record, f"discover/{tenant}"
    before = record.journal.get(key, {"waiting": 0, "named": 0})
    buffer = [episode for episode in record.episodes.novel(tenant) if episode.model != EXPERT]
    if len(buffer) < before["waiting"] + settings.discover_after:
        return []
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=[episode.id for episode in buffer])
    seen = vectors.any(axis=1)
    ids, vectors = [id_ for id_, one in zip(ids, seen, strict=True) if one], vectors[seen]
    known, labels = _known(parts, tenant)
    found = (discoverer or SemiSupervisedKMeans(seed=parts.settings.seed)).discover(vectors, known, labels)
    groups = _groups(found, vectors, parts.recogniser(tenant).threshold(), settings.min_episodes)
    names = [f"new-{before['named'] + number:04d}" for number in range(1, len(groups) + 1)]
    with record.database.transaction():
        for name, group in zip(names, groups, strict=True):
            _file(record, tenant, [ids[row] for row in group], name)
        record.journal.set(key, {"waiting": len(buffer) - sum(map(len, groups)), "named": before["named"] + len(groups)})
    parts.unlearn_caches(tenant)
    return names


def questions(record: Record, tenant: str) -> list[Question]:
    """What there is to ask a person: one question for every discovered skill that nobody has named."""
    skill_of = record.episodes.skills(tenant=tenant)
    names = sorted(set(skill_of.values()))
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=list(skill_of))
    labels = np.array([names.index(skill_of[id_]) for id_ in ids], dtype=np.int64)
    asked: list[Question] = []
    for label, name in enumerate(names):
        if PROVISIONAL.fullmatch(name):
            rows = np.flatnonzero(labels == label)
            order = rows[np.argsort(-_margins(vectors, labels, label), kind="stable")]
            texts = [(ids[row], record.episodes.get(ids[row]).task.text) for row in [*order[:EXAMPLES], *order[EXAMPLES:][-DOUBTFUL:]]]
            asked.append(Question(skill=name, size=len(rows), examples=tuple(texts[:EXAMPLES]), doubtful=tuple(texts[EXAMPLES:])))
    return asked


def answer(record: Record, tenant: str, asked: str, name: str) -> int:
    """File a discovered skill, or one episode, under the name that a person gives; returns how many episodes were filed.

    A name that is a skill already joins the two; `none` sends the tasks back to the buffer. Raises `NothingFound` for a
    question that nobody asked and `MalformedTask` for a name that cannot be one.
    """
    name = name.strip()
    if not name or PROVISIONAL.fullmatch(name):
        raise MalformedTask(f"{name!r} cannot name a skill; give a word of your own, or {NONE!r}")
    target = "" if name == NONE else name
    question = bool(PROVISIONAL.fullmatch(asked) and record.episodes.count(tenant=tenant, skill=asked))
    if not question and not record.episodes.among([asked], tenant=tenant):
        raise NothingFound(f"tenant {tenant!r} has neither a question nor an episode {asked!r}; see `lifelong questions`")
    with record.database.transaction():
        record.journal.set(refiled(tenant), int(record.journal.get(refiled(tenant), 0)) + 1)
        if question:
            return record.rename_skill(tenant, asked, target)
        _file(record, tenant, [asked], target)
    return 1


def _file(record: Record, tenant: str, ids: Sequence[str], skill: str) -> None:
    """File episodes, and the expert's runs of their tasks with them."""
    corrections = record.episodes.among([f"{id_}-{EXPERT}" for id_ in ids], tenant=tenant)
    record.episodes.assign([*ids, *(correction.id for correction in corrections)], skill)


def _known(parts: Parts, tenant: str) -> tuple[Vector, NDArray[np.int64]]:
    """Vectors and class numbers of the newest tasks of every known skill."""
    rows: dict[str, int] = {}
    for label, skill in enumerate(parts.skills(tenant)):
        newest = parts.record.episodes.find(tenant=tenant, skill=skill, newest_first=True, limit=KNOWN_ROWS)
        rows |= {episode.id: label for episode in newest if episode.model != EXPERT}
    ids, vectors = parts.record.episodes.vectors(tenant=tenant, ids=list(rows))
    if not ids:
        return np.zeros((0, parts.encoder.dimensions), dtype=np.float32), np.zeros(0, dtype=np.int64)
    present = {label: place for place, label in enumerate(sorted({rows[id_] for id_ in ids}))}
    return vectors, np.array([present[rows[id_]] for id_ in ids], dtype=np.int64)


def _groups(found: Discovery, vectors: Vector, threshold: float, least: int) -> list[list[int]]:
    """Rows of every new group that holds together, largest group first."""
    groups: list[list[int]] = []
    for label in range(found.known, found.count):
        rows = np.flatnonzero(found.labels == label)
        near = leave_one_out_novelty(vectors[rows]) <= threshold if len(rows) > 1 else np.zeros(len(rows), dtype=bool)
        if near.sum() >= least:
            groups.append(rows[near].tolist())
    return sorted(groups, key=lambda group: (-len(group), group))


def _margins(vectors: Vector, labels: NDArray[np.int64], label: int) -> NDArray[np.float32]:
    """How much nearer (in cosines) each row of a class lies to its own mean direction than to that of any other class."""
    moments = ClassMoments.of(vectors, labels)
    cosines = vectors[labels == label] @ unit(moments.means).T.astype(np.float32)
    others = np.delete(cosines, label, axis=1)
    return cosines[:, label] - (others.max(1) if others.size else 0)
