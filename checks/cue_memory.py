"""Contract of record, for the one here and for whoever brings another backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core import Action, Episode, Judge, Lesson, MalformedTask, NothingFound, Observation, Outcome, Task
from ..memory import Record, VectorIndex
from .failures import asserting


def example_episode(number: int, *, tenant: str = "default", skill: str = "counting", success: bool = True) -> Episode:
    """A small episode that differs by its number."""
    task = Task(id=f"task-{number}", goal=f"How many rows has table {number}?", tenant=tenant, environment="check")
    steps = (Observation(text=task.goal), Action(text=f"SELECT count(*) FROM t{number}"))
    outcome = Outcome(success=success, score=float(success), judge=Judge.ENVIRONMENT)
    return Episode(id=f"{tenant}-{number}", task=task, steps=steps, outcome=outcome, skill=skill, created=float(number))


@asserting
def check_memory(open_record: Callable[[Path], Record], folder: Path) -> None:
    """Raise `AssertionError` for the first law that records opened by `open_record` in an empty `folder` break."""
    file = folder / "record.sqlite3"
    record = open_record(file)
    episodes = [example_episode(number, tenant=tenant) for number in range(4) for tenant in ("ann", "ben")]
    vectors = np.eye(8, dtype=np.float32)
    for episode, vector in zip(episodes, vectors, strict=True):
        record.episodes.record(episode, vector)
    _check_identity(record, episodes[0], vectors[0])
    _check_feedback(record, episodes[2])
    record.close()

    record = open_record(file)
    assert len(record.episodes.find()) == len(episodes), "what was recorded is there after opening again (invariant Durability)"
    _check_tenants(record, VectorIndex(record.index_directory), vectors)
    _check_erasure(record, episodes[0])
    record.close()


def _check_identity(record: Record, episode: Episode, vector: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    record.episodes.record(episode, vector)
    assert record.episodes.get(episode.id) == episode, "an episode comes back equal"
    try:
        record.episodes.record(replace(episode, model="other"), vector)
    except ValueError:
        return
    raise AssertionError("another episode under the same id is refused")


def _check_feedback(record: Record, episode: Episode) -> None:
    try:
        record.episodes.judge(episode.id, Outcome(success=False, judge=Judge.USER))
    except MalformedTask:
        assert record.episodes.get(episode.id) == episode, "refused feedback changes nothing"
        return
    raise AssertionError("a user does not overrule the environment (trust falls in that order)")


def _check_tenants(record: Record, index: VectorIndex, vectors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    for tenant in ("ann", "ben"):
        index.sync(record, tenant)
        ids, rows = record.episodes.vectors(tenant=tenant)
        found = {hit.id for vector in vectors for hit in index.search(tenant, vector, 8)}
        assert found == set(ids) == {episode.id for episode in record.episodes.find(tenant=tenant)}, "a tenant finds its own, all of it"
        assert all(id.startswith(tenant) for id in found), "a tenant finds nothing of another (invariant Tenants)"
        assert rows.shape == (len(ids), 8), "one row an episode"
    assert record.episodes.among(["ben-0"], tenant="ann") == [], "naming another tenant's episode does not show it (invariant Tenants)"


def _check_erasure(record: Record, episode: Episode) -> None:
    tenant = episode.task.tenant
    record.lessons.record(Lesson(id="lesson", tenant=tenant, skill=episode.skill, text="Count.", episodes=(episode.id,)))
    erased = record.erase([episode.id])
    assert erased.episodes == 1, "an erasure says how much it took"
    assert erased.lessons == ("lesson",), "a lesson goes with its evidence (invariant Provenance)"
    assert record.lessons.find(tenant) == [], "an erased lesson is gone"
    assert episode.id not in record.episodes.vectors(tenant=tenant)[0], "vectors go with their episodes"
    try:
        record.episodes.get(episode.id)
    except NothingFound:
        return
    raise AssertionError("an erased episode is gone")
