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
from ..perception import Discoverer, ProtoGCD, coherent_groups, sort_unknown
from .components import Components
from .run_state import DiscoverCounts, count_relabelling
from .skills import PROVISIONAL, as_filed, describe_skills, file_episodes

NONE = "none"
"""The answer that a discovered skill is none; its tasks go back to the buffer."""
FIRST_QUESTIONS = 5
"""Skills that are asked about before anybody has named one: the answers tell how many kinds there are, and what sets them apart."""
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
    nearest: str = ""
    """The skill whose tasks lie nearest: answering with its name makes one skill of both. Empty for the only skill."""


def discover(components: Components, tenant: str, discoverer: Discoverer | None = None) -> list[str]:
    """Look for new skills among the tenant's unknown tasks, once enough new ones have come or a skill got a name since the last look.

    Returns their provisional names. A task joins a skill only where another of its group is clearly nearer than all that is known, and
    a group becomes a skill only with `sleep.min_episodes` such tasks; the rest waits on. While no skill has a name, only the
    `FIRST_QUESTIONS` largest groups become skills: the others wait for the answers. All of it happens in one transaction.
    """
    settings, record = components.settings.sleep, components.record
    before = record.state.get(DiscoverCounts, tenant=tenant) or DiscoverCounts(tenant=tenant)
    buffer = [episode for episode in record.episodes.novel(tenant) if not episode.demonstration]
    skills = components.skills(tenant)
    asked = sum(bool(PROVISIONAL.fullmatch(skill)) for skill in skills)
    answered = before.named > 0 and len(skills) - asked > before.skills and len(buffer) >= settings.min_episodes
    if len(buffer) < before.waiting + settings.discover_after and not answered:
        return []
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=[episode.id for episode in buffer])
    seen = np.flatnonzero(vectors.any(axis=1))
    ids, vectors = [ids[row] for row in seen], vectors[seen]
    known, labels = _known(components, tenant)
    found, kinds = sort_unknown(discoverer or ProtoGCD(seed=components.settings.seed), vectors, known, labels, settings.min_episodes)
    # The largest groups first: their names decide about most tasks, and what is learned of them tells the others apart.
    most = settings.open_questions if len(skills) > asked else min(settings.open_questions, FIRST_QUESTIONS)
    groups = coherent_groups(found, vectors, known, settings.min_episodes)[: max(0, most - asked)]
    names = [f"new-{before.named + number:04d}" for number in range(1, len(groups) + 1)]
    with record.transaction():
        for name, group in zip(names, groups, strict=True):
            file_episodes(record, tenant, [ids[row] for row in group], name)
        waiting = len(buffer) - sum(map(len, groups))
        counts = DiscoverCounts(tenant=tenant, waiting=waiting, named=before.named + len(groups), skills=len(skills) - asked)
        record.state.put(replace(counts, kinds=kinds.count, kinds_low=kinds.low, kinds_high=kinds.high))
    return names


def questions(record: Record, tenant: str, most: int | None = None) -> list[Question]:
    """What there is to ask a person: one question for every discovered skill that nobody has named, at most `most` of them.

    The one with most tasks comes first: its answer changes most.
    """
    described = [one for one in describe_skills(record, tenant) if one.provisional]
    described.sort(key=lambda one: (-one.size, one.name))
    return [
        Question(skill=one.name, size=one.size, words=one.words, examples=one.centre, borderline=one.edge, nearest=one.nearest)
        for one in described[:most]
    ]


def answer(record: Record, tenant: str, asked: str, name: str) -> int:
    """File a discovered skill, or one episode, under the name that a person gives; returns how many episodes were filed.

    A name that is a skill already, in whatever case and spaces, joins the two; `none` sends the tasks back to the buffer. Raises
    `NothingFound` for a question that nobody asked and `MalformedTask` for a name that cannot be one.
    """
    name = name.strip()
    if not name or PROVISIONAL.fullmatch(name):
        raise MalformedTask(f"{name!r} cannot name a skill; give a word of your own, or {NONE!r}")
    target = "" if name == NONE else as_filed(record, tenant, name)
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
