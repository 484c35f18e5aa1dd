"""The rules of a `Store`, for the one here and for whoever brings another backend."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core import Episode, Judge, Lesson, MalformedTask, NothingFound, Outcome
from ..memory import Store
from .cue_memory import example_episode
from .failures import asserting


class _Undone(Exception):
    """Raised to undo a transaction."""


@asserting
def check_store(open_store: Callable[[Path], Store], folder: Path) -> None:
    """Raise `AssertionError` for the first rule that stores opened by `open_store` in an empty `folder` break."""
    file = folder / "record.sqlite3"
    store = open_store(file)
    episodes = [example_episode(number, tenant=tenant) for number in range(4) for tenant in ("ann", "ben")]
    vectors = np.eye(8, dtype=np.float32)
    for episode, vector in zip(episodes, vectors, strict=True):
        store.episodes.record(episode, vector)
    _check_identity(store, episodes[0], vectors[0])
    _check_feedback(store, episodes[2])
    store.close()

    store = open_store(file)
    assert len(store.episodes.find()) == len(episodes), "what was recorded is there after opening again (invariant Durability)"
    _check_tenants(store)
    _check_transaction(store, example_episode(9, tenant="ann"))
    _check_erasure(store, episodes[0])
    store.close()


def _check_identity(store: Store, episode: Episode, vector: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    store.episodes.record(episode, vector)
    assert store.episodes.get(episode.id) == episode, "an episode comes back equal"
    try:
        store.episodes.record(replace(episode, model="other"), vector)
    except ValueError:
        return
    raise AssertionError("another episode under the same id is refused")


def _check_feedback(store: Store, episode: Episode) -> None:
    try:
        store.episodes.judge(episode.id, Outcome(success=False, judge=Judge.USER))
    except MalformedTask:
        assert store.episodes.get(episode.id) == episode, "refused feedback changes nothing"
        return
    raise AssertionError("a user does not overrule the environment (trust falls in that order)")


def _check_tenants(store: Store) -> None:
    for tenant in ("ann", "ben"):
        ids, rows = store.episodes.vectors(tenant=tenant)
        found = {episode.id for episode in store.episodes.find(tenant=tenant)}
        assert found == set(ids), "a tenant finds its own, all of it"
        assert all(id.startswith(tenant) for id in found), "a tenant finds nothing of another (invariant Tenants)"
        assert rows.shape == (len(ids), 8), "one row an episode"
    assert store.episodes.get_many(["ben-0"], tenant="ann") == [], "naming another tenant's episode does not show it (invariant Tenants)"


def _check_transaction(store: Store, episode: Episode) -> None:
    vector = np.ones(8, dtype=np.float32)
    with contextlib.suppress(_Undone), store.transaction():
        store.episodes.record(episode, vector)
        raise _Undone
    assert not store.episodes.get_many([episode.id], tenant=episode.task.tenant), "a transaction keeps all, or nothing"


def _check_erasure(store: Store, episode: Episode) -> None:
    tenant, before = episode.task.tenant, store.generation(episode.task.tenant)
    store.lessons.record(Lesson(id="lesson", tenant=tenant, skill=episode.skill, text="Count.", episodes=(episode.id,)))
    erased = store.erase([episode.id])
    assert erased.episodes == 1, "an erasure says how much it took"
    assert erased.lessons == ("lesson",), "a lesson goes with its evidence (invariant Provenance)"
    assert store.lessons.find(tenant) == [], "an erased lesson is gone"
    assert store.generation(tenant) > before, "caches of every process notice an erasure (invariant Many processes)"
    assert episode.id not in store.episodes.vectors(tenant=tenant)[0], "vectors go with their episodes"
    try:
        store.episodes.get(episode.id)
    except NothingFound:
        return
    raise AssertionError("an erased episode is gone")
