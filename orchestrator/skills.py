"""A tenant's skills as a person sees and changes them: list, rename, merge, split.

Everything follows from the record; a change is one transaction that files episodes anew, so provenance, erasure and other processes see
it as they see any filing: lessons, adapters and routes follow a renamed skill, and running learners read the skills again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core import MalformedTask, NothingFound, Task, demonstration_id, spelling
from ..memory import Record
from ..numerics.arrays import Floats, Labels, Vector, l2_normalize
from ..perception import group_words, split_in_two
from .run_state import DiscoverCounts, count_relabelling

CHAT = "chat"
"""Environment of what people and their tools say to an agent."""
TOOL_CALLS = "tool calls"
"""The skill under which judged tasks with tools are filed that are of no known skill."""
PROVISIONAL = re.compile(r"new-\d{4}")
"""What a discovered skill is called until a person names it."""
READ = 200
"""Tasks of a skill whose words name it, at most: the newest ones."""
CENTRE, EDGE = 3, 2
"""Tasks shown of a skill: those that belong to it most clearly, and those that belong to it least clearly."""


@dataclass(frozen=True, kw_only=True)
class SkillDescription:
    """A skill in its own words."""

    name: str
    """What it is called."""
    size: int
    """How many tasks it has."""
    words: tuple[str, ...]
    """The words that tell its tasks from those of the other skills."""
    centre: tuple[tuple[str, str], ...]
    """Episode id and text of the tasks that belong to it most clearly."""
    edge: tuple[tuple[str, str], ...]
    """The same of those that belong to it least clearly."""
    nearest: str = ""
    """The skill whose tasks lie nearest, which may be the same one; empty for the only skill."""

    @property
    def provisional(self) -> bool:
        """Whether it was discovered and nobody has named it yet."""
        return bool(PROVISIONAL.fullmatch(self.name))


def skill_by_form(task: Task) -> str:
    """The skill under which a task of no known skill is filed once it is judged: by its tools, or by where it came from."""
    return TOOL_CALLS if task.tools and task.environment in ("", CHAT) else task.environment or CHAT


def describe_skills(record: Record, tenant: str) -> list[SkillDescription]:
    """Every skill of a tenant, by name. The expert's runs of its tasks are not counted."""
    names, ids, vectors, labels = _filed(record, tenant)
    rows_of = {name: np.flatnonzero(labels == label) for label, name in enumerate(names)}
    rows_of = {name: rows for name, rows in rows_of.items() if len(rows)}
    words = group_words({name: _texts(record, tenant, [ids[row] for row in rows[-READ:]]) for name, rows in rows_of.items()})
    found: list[SkillDescription] = []
    means = [vectors[rows].mean(0, dtype=np.float64) for rows in rows_of.values()]
    centres: Floats = np.asarray(l2_normalize(np.vstack(means)), dtype=np.float64) if means else np.zeros((0, 0))
    for place, (name, rows) in enumerate(rows_of.items()):
        order = rows[np.argsort(-_margins(vectors[rows], centres, place), kind="stable")]
        places = [ids[row] for row in [*order[:CENTRE], *order[CENTRE:][-EDGE:]]]
        shown = tuple(zip(places, _texts(record, tenant, places), strict=True))
        found.append(
            SkillDescription(
                name=name,
                size=len(rows),
                words=words[name],
                centre=shown[:CENTRE],
                edge=shown[CENTRE:],
                nearest=_nearest(list(rows_of), centres, place),
            )
        )
    return found


def rename_skill(record: Record, tenant: str, old: str, new: str) -> int:
    """Give a skill another name; returns how many episodes moved.

    Raises `NothingFound` for a skill that is none, and `MalformedTask` for a name that is taken or cannot be one.
    """
    new = checked_name(new)
    with record.transaction():
        _require(record, tenant, old)
        alike = as_filed(record, tenant, new)
        if alike != old and record.episodes.count(tenant=tenant, skill=alike):
            raise MalformedTask(f"{alike!r} is a skill already; to make one skill of both: lifelong skills merge {old} {alike}")
        count_relabelling(record, tenant)
        return record.rename_skill(tenant, old, new)


def merge_skills(record: Record, tenant: str, names: Sequence[str], into: str) -> int:
    """Make one skill of several, under the name `into`, which may be one of them; returns how many episodes moved.

    The adapter that serves `into` goes on serving it. Raises `NothingFound` for a skill that is none and `MalformedTask` for a
    name that cannot be one and where there is nothing to merge.
    """
    into = into if record.episodes.count(tenant=tenant, skill=into) else as_filed(record, tenant, checked_name(into))
    others = [name for name in dict.fromkeys(names) if name != into]
    if not others:
        raise MalformedTask(f"nothing to merge into {into!r}; name another skill")
    with record.transaction():
        for name in others:
            _require(record, tenant, name)
        count_relabelling(record, tenant)
        return sum(record.rename_skill(tenant, name, into) for name in others)


def split_skill(record: Record, tenant: str, name: str, *, seed: int = 0) -> tuple[str, int]:
    """Split a skill in two by its tasks' vectors: the larger part keeps the name, the other becomes a discovered skill.

    Returns the provisional name of the new skill and how many of its tasks moved; a person is asked to name it. An adapter that
    learned from both keeps its provenance and goes on serving the name that stays. Raises `NothingFound` for a skill that is none
    and `MalformedTask` for one whose tasks cannot be told apart.
    """
    with record.transaction():
        _require(record, tenant, name)
        names, ids, vectors, labels = _filed(record, tenant)
        rows = np.flatnonzero(labels == names.index(name))
        parts = split_in_two(vectors[rows], seed)
        if len(np.unique(parts)) < 2:
            raise MalformedTask(f"the {len(rows)} tasks of {name!r} cannot be told apart; file single ones: lifelong answer ID NAME")
        before = record.state.get(DiscoverCounts, tenant=tenant) or DiscoverCounts(tenant=tenant)
        fresh = f"new-{before.named + 1:04d}"
        moved = [ids[row] for row in rows[parts == int(np.bincount(parts).argmin())]]
        file_episodes(record, tenant, moved, fresh)
        record.state.put(replace(before, named=before.named + 1))
        count_relabelling(record, tenant)
    return fresh, len(moved)


def checked_name(name: str) -> str:
    """A name that a person gives, without spaces around it. Raises `MalformedTask` for one that cannot name a skill."""
    name = name.strip()
    if not name or PROVISIONAL.fullmatch(name):
        raise MalformedTask(f"{name!r} cannot name a skill; give a word of your own")
    return name


def as_filed(record: Record, tenant: str, name: str) -> str:
    """The skill of that name, or the one that differs from it in case or spaces alone; the name itself where there is neither."""
    there = record.episodes.skills(tenant=tenant)
    return name if name in there else next((skill for skill in there if spelling(skill) == spelling(name)), name)


def file_episodes(record: Record, tenant: str, ids: Sequence[str], skill: str) -> None:
    """File episodes, and the expert's runs of their tasks with them."""
    corrections = record.episodes.get_many([demonstration_id(id_) for id_ in ids], tenant=tenant)
    record.episodes.assign([*ids, *(correction.id for correction in corrections)], skill)


def _require(record: Record, tenant: str, name: str) -> None:
    if not record.episodes.count(tenant=tenant, skill=name):
        raise NothingFound(f"tenant {tenant!r} has no skill {name!r}; see `lifelong skills list`")


def _texts(record: Record, tenant: str, ids: Sequence[str]) -> list[str]:
    return [episode.task.text for episode in record.episodes.get_many(ids, tenant=tenant)]


def _filed(record: Record, tenant: str) -> tuple[list[str], list[str], Vector, Labels]:
    """Names of the skills; ids, vectors and class numbers of the tasks that are filed under them, the expert's runs left out."""
    filed = record.episodes.skill_of(tenant=tenant)
    experts = {demonstration_id(id_) for id_ in filed}
    skill_of = {id_: skill for id_, skill in filed.items() if id_ not in experts}
    names = sorted(set(skill_of.values()))
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=list(skill_of))
    return names, ids, vectors, np.array([names.index(skill_of[id_]) for id_ in ids], dtype=np.int64)


def _margins(rows: Vector, centres: Floats, label: int) -> Floats:
    """How much nearer (in cosines) each row `(n, d)` of a class lies to its own mean direction than to that of any other class."""
    cosines = rows @ centres.T
    others = np.delete(cosines, label, axis=1)
    return np.asarray(cosines[:, label] - (others.max(1) if others.size else 0))


def _nearest(names: Sequence[str], centres: Floats, label: int) -> str:
    """The class whose mean direction is nearest to that of a class."""
    cosines = centres @ centres[label]
    cosines[label] = -np.inf
    return names[int(cosines.argmax())] if len(names) > 1 else ""
