"""The rules of a `Store`, for the one here and for whoever brings another backend."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..core import (
    UNKNOWN,
    Action,
    Adapter,
    AdapterStatus,
    Episode,
    Judge,
    Lesson,
    MalformedTask,
    NothingFound,
    Observation,
    Outcome,
    Receipt,
    Task,
)
from ..core.paths import AnyPath
from ..memory import PendingErasure, Store
from ..memory.turns.passages import passages
from ..numerics.arrays import Vector
from .cue_memory import example_episode
from .failures import asserting


class _Undone(Exception):
    """Raised to undo a transaction."""


@asserting
def check_store(open_store: Callable[[Path], Store], folder: AnyPath) -> None:
    """Raise `AssertionError` for the first rule that stores opened by `open_store` in an empty `folder` break."""
    folder = Path(folder)
    file = folder / "record.sqlite3"
    store = open_store(file)
    episodes = [example_episode(number, tenant=tenant) for number in range(4) for tenant in ("ann", "ben")]
    vectors = np.eye(8, dtype=np.float32)
    for episode, vector in zip(episodes, vectors, strict=True):
        store.episodes.record(episode, vector)
    _check_identity(store, episodes[0], vectors[0])
    _check_feedback(store, episodes[2])
    kept = _keep_state(store, episodes)
    runs = [_example_run(tenant) for tenant in ("ann", "ben")]
    _begin_runs(store, runs, vectors[0])
    store.close()

    store = open_store(file)
    assert len(store.episodes.find()) == len(episodes), "what was recorded is there after opening again (invariant Durability)"
    _check_tenants(store)
    _check_transaction(store, example_episode(9, tenant="ann"))
    _check_state(store, kept)
    _check_adapters(store)
    _check_runs(store, runs)
    _check_turns(store, runs)
    _check_erasure(store, episodes[0])
    store.close()


def _check_identity(store: Store, episode: Episode, vector: Vector) -> None:
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


def _example_run(tenant: str) -> Episode:
    """A conversation of three turns."""
    said = f"My sister lives in the town of {tenant}."
    task = Task(id=f"talk-{tenant}", goal=said, tenant=tenant, environment="chat", session="monday")
    steps = (Observation(text=said), Action(text="Noted."), Observation(text=f"She moved away from {tenant} in May."))
    return Episode(id=f"run-{tenant}", task=task, steps=steps, outcome=UNKNOWN)


def _begin_runs(store: Store, runs: Sequence[Episode], vector: Vector) -> None:
    for run in runs:
        assert store.open_runs.begin(replace(run, steps=run.steps[:1]), vector), "a run is opened with the steps that it has"
        assert not store.open_runs.begin(run, vector), "a run is opened once"
        assert store.open_runs.append(run.id, run.steps[1:]) == len(run.steps), "a further step says how many there are"
    assert not {run.id for run in runs} & {episode.id for episode in store.episodes.find()}, "a run under way is no episode yet"


def _check_runs(store: Store, runs: Sequence[Episode]) -> None:
    ann, ben = runs
    kept = store.open_runs.get(ann.id).steps
    assert kept == ann.steps, "every step of a run under way is there after opening again (invariant Durability)"
    assert store.open_runs.ids(tenant="ann") == [ann.id], "a tenant finds no run of another (invariant Tenants)"
    store.open_runs.finish(store.open_runs.get(ann.id))
    assert store.episodes.get(ann.id).steps == ann.steps, "a run that ends is an episode"
    assert store.open_runs.ids(tenant="ann") == [], "and is open no longer"
    store.erase([ben.id])
    assert store.open_runs.ids(tenant="ben") == [], "an erasure reaches runs under way"


def _check_turns(store: Store, runs: Sequence[Episode]) -> None:
    run, _ = runs
    [(sequence, waiting)] = [(number, episode) for number, episode in store.turns.waiting(100) if episode.id == run.id]
    said = list(passages(waiting))
    store.turns.add(sequence, waiting, said, np.eye(len(said), 8, dtype=np.float32))
    assert run.id not in {episode.id for _, episode in store.turns.waiting(100)}, "what was indexed waits no longer"
    numbers = store.turns.newest("ann", 10)
    assert len(numbers) == store.turns.count("ann") == len(said), "a tenant's turns are counted"
    found = {text for _, text in store.turns.texts("ann", numbers).values()}
    assert found == {passage.text for passage in said}, "a turn comes back as it was said"
    assert store.turns.get("ben", numbers) == [], "a tenant finds no turn of another (invariant Tenants)"
    store.erase([run.id])
    assert store.turns.count("ann") == 0, "turns go with their episode"


@dataclass(frozen=True, kw_only=True)
class _Count:
    """A value of the run's state."""

    KIND: ClassVar[str] = "check_store_count"
    tenant: str
    skill: str = ""
    count: int = 0


def _keep_state(store: Store, episodes: Sequence[Episode]) -> tuple[PendingErasure, Receipt, Adapter]:
    """What has to be there after opening again."""
    for tenant in ("ann", "anna"):
        store.state.put(_Count(tenant=tenant, count=len(tenant)))
    pending = PendingErasure(id="pending", asked="episode=x", ids=("x",), rebuild=True, needles=("a text",))
    receipt = Receipt(id="done", asked="episode=y", episodes=1, lessons=0, adapters_erased=(), adapters_rebuilt=(), probe={"left": 0.0})
    store.erasures.put(pending)
    store.receipts.record(receipt)
    first = episodes[0]
    store.lessons.record(Lesson(id="lesson", tenant="ann", skill=first.skill, text="Count.", episodes=(first.id,)))
    adapter = Adapter(
        name=store.adapters.next_name(), path="/adapter", base="b", rank=4, tenant="ann", episodes=(first.id,), lessons=("lesson",)
    )
    store.adapters.publish(adapter, ["counting"])
    return pending, receipt, adapter


def _check_state(store: Store, kept: tuple[PendingErasure, Receipt, Adapter]) -> None:
    pending, receipt, adapter = kept
    assert store.erasures.find() == [pending], "a promised erasure is there after opening again, as it was (invariant Durability)"
    store.erasures.delete(pending.id)
    assert store.erasures.find() == [], "a finished erasure is dropped"
    assert store.receipts.find() == [receipt], "a receipt is there after opening again, as it was"
    assert store.adapters.routes("ann") == {"counting": adapter.name}, "routes are there after opening again"
    assert store.state.find(_Count, tenant="ann") == [_Count(tenant="ann", count=3)], "state is found by its exact key"
    store.state.delete(_Count, tenant="ann")
    assert store.state.get(_Count, tenant="anna") == _Count(tenant="anna", count=4), "nothing of ann's key touches anna's"
    store.lessons.credit(["lesson"], True)
    store.lessons.credit(["lesson"], False, instead_of=True)
    assert [(one.helped, one.harmed) for one in store.lessons.find("ann")] == [(0, 1)], "an overruled verdict is taken back"


def _check_adapters(store: Store) -> None:
    [first] = store.adapters.find("ann")
    assert first.status is AdapterStatus.LIVE, "what serves is live"
    assert store.adapters.next_name() != first.name, "no name is given twice"
    assert store.adapters.find("ben") == [], "a tenant finds nothing of another (invariant Tenants)"
    assert store.adapters.route("ben", "counting") == "", "a tenant is served by nothing of another's (invariant Tenants)"
    second = replace(
        first, name=store.adapters.next_name(), path="/second", status=AdapterStatus.CANDIDATE, episodes=("ann-1",), lessons=()
    )
    store.adapters.publish(second, ["counting"])
    assert store.adapters.get(first.name).status is AdapterStatus.RETIRED, "what serves nothing more is retired"
    assert store.adapters.rollback("ann") == ["counting"], "the last publication can be undone"
    assert store.adapters.route("ann", "counting") == first.name, "and then what served before serves again"
    try:
        store.adapters.record(replace(second, name=store.adapters.next_name(), path="/third", episodes=("nobody",)))
    except NothingFound:
        return
    raise AssertionError("an adapter whose episodes are not in the record is refused (invariant Provenance)")


def _check_erasure(store: Store, episode: Episode) -> None:
    tenant, before = episode.task.tenant, store.generation(episode.task.tenant)
    made = store.made_from(tenant, ["ann-1"])
    assert store.find_text(episode.task.goal), "an audit finds who holds a text"
    erased = store.erase([episode.id])
    assert erased.episodes == 1, "an erasure says how much it took"
    assert erased.lessons == ("lesson",), "a lesson goes with its evidence (invariant Provenance)"
    assert store.lessons.find(tenant) == [], "an erased lesson is gone"
    assert len(erased.adapters) == 1, "so does an adapter that learned from it"
    assert store.adapters.get(erased.adapters[0]).status is AdapterStatus.ERASED, "an erased adapter is marked"
    assert store.adapters.routes(tenant) == {}, "and serves nothing"
    assert not [one for one in store.find_text(episode.task.goal) if one.task.tenant == tenant], "no row of the tenant holds the text"
    assert store.made_from(tenant, ["ann-1"]) == made, "what was made of others is still made of the same"
    assert store.scrub(), "nothing is left in a log"
    assert store.generation(tenant) > before, "caches of every process notice an erasure (invariant Many processes)"
    assert episode.id not in store.episodes.vectors(tenant=tenant)[0], "vectors go with their episodes"
    try:
        store.episodes.get(episode.id)
    except NothingFound:
        return
    raise AssertionError("an erased episode is gone")
