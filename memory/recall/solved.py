"""Solved tasks near a task: those of its skill whose answers have forms that its own answer may follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...core import Action, Episode, Task
from ...numerics.arrays import Vector
from ..index.vector_index import VectorIndex
from .recall import calls_only

if TYPE_CHECKING:
    from ..sqlite.record import Record

NEAREST = 16
"""Solved tasks whose forms are looked at, nearest first: several have the same form."""
WIDTH = 64
"""Verified runs of any skill that are looked at for these."""


def is_one_answer(episode: Episode) -> bool:
    """Whether the run was one answer to one request, so that the two say the same."""
    return sum(isinstance(step, Action) for step in episode.steps) == 1 and not episode.previous


def solved_near(record: Record, index: VectorIndex, task: Task, skill: str, vector: Vector) -> tuple[tuple[Task, str], ...]:
    """The nearest verified runs of one answer to tasks of a skill and the same environment, nearest first; for a task awake.

    Those that call tools which the task has not are left out.
    """
    index.follow(record, task.tenant)
    hits = index.search(record, task.tenant, vector, WIDTH)
    near = record.episodes.get_many([hit.id for hit in hits], tenant=task.tenant, skill=skill, trainable=True)[:NEAREST]
    of_here = [(one.task, _right_answer(one)) for one in near if one.task.environment == task.environment]
    return tuple((other, answer) for other, answer in of_here if answer and calls_only(answer, task.tool_names))


def nearest_solved(record: Record, tenant: str, tasks: Sequence[Episode], solved: Sequence[Episode]) -> list[tuple[tuple[Task, str], ...]]:
    """For each run the nearest of some solved ones of one answer, nearest first; at night, where all of a skill are at hand."""
    known = {one.id: one for one in solved if is_one_answer(one) and one.answer.strip()}
    ids, vectors = record.episodes.vectors(tenant=tenant, ids=known)
    wanted, own = record.episodes.vectors(tenant=tenant, ids=[one.id for one in tasks])
    if not ids or not wanted:
        return [() for _ in tasks]
    pairs = [(known[id_].task, known[id_].answer) for id_ in ids]
    found = dict(zip(wanted, nearest_pairs(own, vectors, pairs), strict=True))
    return [found.get(one.id, ()) for one in tasks]


def nearest_pairs(tasks: Vector, solved: Vector, pairs: Sequence[tuple[Task, str]]) -> list[tuple[tuple[Task, str], ...]]:
    """For each unit vector of `tasks` `(n, d)` the pairs whose unit vectors `solved` `(m, d)` are nearest, at most `NEAREST`."""
    order = np.argsort(-(tasks @ solved.T), axis=1, kind="stable")[:, :NEAREST]
    return [tuple(pairs[place] for place in places) for places in order]


def _right_answer(episode: Episode) -> str:
    return episode.correction or (episode.answer if is_one_answer(episode) else "")
