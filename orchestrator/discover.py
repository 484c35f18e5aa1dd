"""Discover: clusters of unknown tasks become new skills, and a person is asked to name them.

A discovered skill has a provisional name until somebody answers; it recalls, learns and forgets as any other meanwhile.
What can be asked follows from the record alone, so that nothing about it needs to be kept or erased.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..core import MalformedTask, NothingFound
from ..memory import Record
from ..numerics.arrays import Vector
from ..perception import ClassCount, Discoverer, Discovery, ProtoGCD, class_count_interval, leave_one_out_novelty
from .components import Components
from .run_state import DiscoverCounts, count_relabelling
from .skills import PROVISIONAL, describe_skills, file_episodes

NONE = "none"
"""The answer that a discovered skill is none; its tasks go back to the buffer."""
NEARER = 0.75
"""How near, beside the nearest known task, another of its group must be for a task to join a new skill."""
KNOWN_ROWS = 100
"""Most tasks of one known skill that discovery looks at, the newest ones."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person is asked: what kind of tasks these are."""

    skill: str
    """The discovered skill's provisional name; an answer names it."""
    size: int
    """How many tasks it has."""
    words: tuple[str, ...]
    """The words that tell its tasks from those of the other skills: a suggestion for its name."""
    examples: tuple[tuple[str, str], ...]
    """Episode id and text of the tasks that belong to it most clearly."""
    borderline: tuple[tuple[str, str], ...]
    """The same of those that belong to it least clearly; each can be answered by itself."""


def discover(components: Components, tenant: str, discoverer: Discoverer | None = None) -> list[str]:
    """Look for new skills among the tenant's unknown tasks, once enough new ones have come; returns their provisional names.

    A task joins a skill only where another of its group is clearly nearer than all that is known, and a group becomes a skill
    only with `sleep.min_episodes` such tasks; the rest waits on. All of it happens in one transaction.
    """
    settings, record = components.settings.sleep, components.record
    before = record.state.get(DiscoverCounts, tenant=tenant) or DiscoverCounts(tenant=tenant)
    buffer = [episode for episode in record.episodes.novel(tenant) if not episode.demonstration]
    if len(buffer) < before.waiting + settings.discover_after:
        return []
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=[episode.id for episode in buffer])
    seen = np.flatnonzero(vectors.any(axis=1))
    ids, vectors = [ids[row] for row in seen], vectors[seen]
    known, labels = _known(components, tenant)
    found, kinds = _sorted_out(discoverer or ProtoGCD(seed=components.settings.seed), vectors, known, labels, settings.min_episodes)
    # The largest groups first: their names decide about most tasks, and what is learned of them tells the others apart.
    asked = sum(bool(PROVISIONAL.fullmatch(skill)) for skill in components.skills(tenant))
    groups = _groups(found, vectors, known, settings.min_episodes)[: max(0, settings.open_questions - asked)]
    names = [f"new-{before.named + number:04d}" for number in range(1, len(groups) + 1)]
    with record.transaction():
        for name, group in zip(names, groups, strict=True):
            file_episodes(record, tenant, [ids[row] for row in group], name)
        waiting = len(buffer) - sum(map(len, groups))
        counts = DiscoverCounts(tenant=tenant, waiting=waiting, named=before.named + len(groups))
        record.state.put(replace(counts, kinds=kinds.count, kinds_low=kinds.low, kinds_high=kinds.high))
    return names


def questions(record: Record, tenant: str, most: int | None = None) -> list[Question]:
    """What there is to ask a person: one question for every discovered skill that nobody has named, at most `most` of them.

    The one with most tasks comes first: its answer changes most.
    """
    described = [one for one in describe_skills(record, tenant) if one.provisional]
    described.sort(key=lambda one: (-one.size, one.name))
    return [Question(skill=one.name, size=one.size, words=one.words, examples=one.centre, borderline=one.edge) for one in described[:most]]


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
    if not question and not record.episodes.get_many([asked], tenant=tenant):
        raise NothingFound(f"tenant {tenant!r} has neither a question nor an episode {asked!r}; see `lifelong questions`")
    with record.transaction():
        count_relabelling(record, tenant)
        if question:
            return record.rename_skill(tenant, asked, target)
        file_episodes(record, tenant, [asked], target)
    return 1


def _known(components: Components, tenant: str) -> tuple[Vector, NDArray[np.int64]]:
    """Vectors and class numbers of the newest tasks of every known skill."""
    rows: dict[str, int] = {}
    for label, skill in enumerate(components.skills(tenant)):
        newest = components.record.episodes.find(tenant=tenant, skill=skill, newest_first=True, limit=KNOWN_ROWS)
        rows |= {episode.id: label for episode in newest if not episode.demonstration}
    ids, vectors = components.record.episodes.vectors(tenant=tenant, ids=list(rows))
    if not ids:
        return np.zeros((0, components.encoder.dimensions), dtype=np.float32), np.zeros(0, dtype=np.int64)
    present = {label: place for place, label in enumerate(sorted({rows[id_] for id_ in ids}))}
    return vectors, np.array([present[rows[id_]] for id_ in ids], dtype=np.int64)


def _sorted_out(
    discoverer: Discoverer, vectors: Vector, known: Vector, labels: NDArray[np.int64], least: int
) -> tuple[Discovery, ClassCount]:
    """What a discoverer makes of unknown vectors `(n, d)`, which come first among the rows that it sorts; and how many kinds there are."""
    # The number of classes is estimated from how often known ones occur, so half of the known tasks go among the unknown ones unnamed.
    shown = _every_other(labels)
    pool = np.vstack([vectors, known[~shown]])
    kinds = class_count_interval(pool, known[shown], labels[shown])
    found = discoverer.discover(pool, known[shown], labels[shown], kinds.count)
    # Unknown tasks belong to new classes already: too many groups can be given one name, and a kind that has none cannot be asked about.
    fewest = found.known + len(vectors) // (2 * least)
    return (found if found.count >= fewest else discoverer.discover(pool, known[shown], labels[shown], fewest)), kinds


def _every_other(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The first, third, ... row of every class."""
    shown = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        shown[np.flatnonzero(labels == label)[::2]] = True
    return shown


def _groups(found: Discovery, vectors: Vector, known: Vector, least: int) -> list[list[int]]:
    """Rows of every new group that holds together, largest group first."""
    distances = 1 - (vectors @ known.T).max(1, initial=0.0)
    groups: list[list[int]] = []
    for label in range(found.known, found.count):
        rows = np.flatnonzero(found.labels[: len(vectors)] == label)
        if len(rows) > 1:
            near = rows[leave_one_out_novelty(vectors[rows]) <= NEARER * distances[rows]]
            groups += [near.tolist()] if len(near) >= least else []
    return sorted(groups, key=lambda group: (-len(group), group))
