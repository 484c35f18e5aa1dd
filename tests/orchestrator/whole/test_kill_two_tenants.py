"""SIGKILL at every phase, transaction and file of sleep and forget, and two processes at once; another tenant is never touched."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nights import AdaptedEngine
from processes.fork_server import ForkServer
from processes.killable_verbs import CHATS, chats, open_verbs, word

from lifelong.core import AdapterStatus
from lifelong.memory import Record
from lifelong.orchestrator import LifelongLearner, NightState
from lifelong.orchestrator.run_state import Night, PendingSleep

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OTHER, MINE = "anna", "ann"
MOST = 60
"""Kills of each case: every edge of a phase and every transaction, and of the files those that a seeded draw takes."""


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer("killable_verbs.py")
    yield server
    server.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one tenant has slept and the other is due; copied for every kill."""
    home = tmp_path_factory.mktemp("two") / "home"
    with open_verbs(home) as learner:
        chats(learner, OTHER, range(CHATS))
        assert [report.published for report in learner.sleep(tenant=OTHER)] == [True]
        chats(learner, MINE, range(CHATS))
    return home


def copied(start: Path, home: Path) -> Path:
    """The home at another place; adapters' paths are kept relative to it."""
    shutil.copytree(start, home)
    return home


def belongings(home: Path, tenant: str) -> dict[str, Any]:
    """All that a tenant has in a home: rows by table, and the files of its adapters."""
    with Record(home / "record.sqlite3") as record:
        episodes = sorted(episode.to_json() for episode in record.episodes.find(tenant=tenant))
        adapters = record.adapters.find(tenant=tenant)
        routes = record.adapters.routes(tenant)
        new = record.state.new_episodes(tenant, "chat")
    files = {file.name: file.read_bytes() for one in adapters for file in sorted(Path(one.path).rglob("*"))}
    with sqlite3.connect(home / "record.sqlite3") as database:
        state = database.execute("SELECT * FROM run_state WHERE tenant = ? ORDER BY kind, skill, id", (tenant,)).fetchall()
    database.close()
    return {
        "episodes": episodes,
        "adapters": [(one.name, one.status, one.episodes) for one in adapters],
        "routes": routes,
        "new": new,
        "files": files,
        "state": state,
    }


def words(tenant: str) -> list[str]:
    return [word(tenant, number) for number in range(CHATS)]


def files_with(home: Path, text: str) -> list[str]:
    return [path.name for path in sorted(home.rglob("*")) if path.is_file() and text.encode() in path.read_bytes()]


def check_apart(learner: LifelongLearner, home: Path) -> None:
    """Adapters, their files and their routes are of one tenant each, and every directory is one that the record names."""
    record = learner.record
    for tenant, stranger in ((MINE, OTHER), (OTHER, MINE)):
        ids = {episode.id for episode in record.episodes.find(tenant=tenant)}
        serving = set(record.adapters.routes(tenant).values())
        for adapter in record.adapters.find(tenant=tenant):
            assert (adapter.name in serving) == (adapter.status is AdapterStatus.LIVE)
            assert set(adapter.episodes) <= ids
            held = "".join(file.read_text() for file in Path(adapter.path).rglob("*") if file.is_file())
            assert not any(text in held for text in words(stranger)), "nothing of one tenant is in another's adapter"
        assert serving <= {adapter.name for adapter in record.adapters.find(tenant=tenant)}
    named = {Path(adapter.path).name for adapter in record.adapters.find()}
    pending = tuple(night.adapter for night in record.state.find(PendingSleep))
    left = {path.name for path in (home / "adapters").iterdir() if not path.name.lstrip(".").startswith((*pending, "erased-"))}
    assert left <= named, "no directory is left of which nobody knows what it is made of"
    engine = learner._components.engine
    assert isinstance(engine, AdaptedEngine)
    erased = {adapter.name for adapter in record.adapters.find() if adapter.status is AdapterStatus.ERASED}
    assert not erased & set(engine.published)


def check_nights(learner: LifelongLearner) -> None:
    """Every night has ended, or failed with its reason; nothing is pending."""
    for night in learner.record.state.find(Night):
        seen = learner.night(night.id, tenant=night.tenant)
        assert seen.state is not NightState.RUNNING
        assert seen.reason
    assert learner.record.state.find(PendingSleep) == []


def kills(server: ForkServer, start: Path, folder: Path, verbs: list[tuple[str, str]]) -> Iterator[tuple[str, Path]]:
    """Homes in which a process died while it carried out the verbs, once at each event, and the name of the event."""
    log = folder / "events"
    assert server.run(home=copied(start, folder / "undisturbed"), log=log, verbs=verbs)
    events = log.read_text().splitlines()
    first = {name: number for number, name in reversed(list(enumerate(events, 1)))}
    edges = [number for number, name in enumerate(events, 1) if "transaction" in name or first[name] == number]
    rest = [number for number in range(1, len(events) + 1) if number not in edges]
    chosen = sorted([*edges, *random.Random(0).sample(rest, min(len(rest), max(0, MOST - len(edges))))])
    print(f"{verbs[0]}: {len(events)} events, {len(chosen)} kills")
    for number in chosen:
        home = copied(start, folder / f"{number}")
        if not server.run(home=home, log=folder / f"events-{number}", verbs=verbs, kill=number):
            yield f"{number}: {events[number - 1]}", home
        shutil.rmtree(home)


def test_a_night_killed_anywhere_is_finished_and_touches_nobody_else(server: ForkServer, start: Path, tmp_path: Path) -> None:
    before, mine = belongings(start, OTHER), belongings(start, MINE)
    for event, home in kills(server, start, tmp_path, [("sleep", MINE)]):
        assert belongings(home, MINE)["episodes"] == mine["episodes"], f"{event}: what was acknowledged is there"
        with open_verbs(home) as learner:
            learner.resume()
            learner.sleep(tenant=MINE)
            check_nights(learner)
            check_apart(learner, home)
            [live] = learner.record.adapters.find(tenant=MINE, status=AdapterStatus.LIVE)
            assert learner.record.adapters.routes(MINE) == {"chat": live.name}, event
            assert learner.sleep(tenant=MINE) == [], f"{event}: what was learned is used up"
        assert belongings(home, MINE)["episodes"] == mine["episodes"], event
        assert belongings(home, OTHER) == before, f"{event}: the other tenant is as it was"


@pytest.mark.parametrize("target", ["episode", "tenant"])
def test_an_erasure_killed_anywhere_is_finished_by_whoever_opens_the_home(
    server: ForkServer, start: Path, tmp_path: Path, target: str
) -> None:
    slept = copied(start, tmp_path / "slept")
    with open_verbs(slept) as learner:
        assert learner.sleep(tenant=MINE)[0].published
        [id_] = [episode.id for episode in learner.record.episodes.find(tenant=MINE) if word(MINE, 3) in episode.to_json()]
    value = id_ if target == "episode" else MINE
    gone, kept = ([word(MINE, 3)], words(MINE)[4:]) if target == "episode" else (words(MINE), [])
    before = belongings(slept, OTHER)
    for event, home in kills(server, slept, tmp_path, [(target, value)]):
        with open_verbs(home) as learner:
            if learner.record.episodes.existing([id_]):
                assert learner.record.receipts.find() == [], f"{event}: nothing was promised"
                assert files_with(home, kept[0] if kept else gone[0]), event
                learner.forget(**{target: value})
            assert not any(files_with(home, text) for text in gone), event
            assert all(files_with(home, text) for text in kept), event
            check_apart(learner, home)
            learner.resume()
            assert learner.record.erasures.find() == []
            assert learner.record.receipts.find()[-1].erasure == "exact", event
            learner.sleep(tenant=MINE)
            check_nights(learner)
            check_apart(learner, home)
            assert len(learner.record.adapters.routes(MINE)) == len(kept[:1]), f"{event}: what is left was learned anew"
            assert not any(files_with(home, text) for text in gone), event
        assert belongings(home, OTHER) == before, f"{event}: the other tenant is as it was"


def test_two_processes_sleep_and_forget_at_the_same_time(server: ForkServer, start: Path, tmp_path: Path) -> None:
    home, second = copied(start, tmp_path / "home"), ForkServer("killable_verbs.py")
    with open_verbs(home) as learner:
        chats(learner, OTHER, range(CHATS, 2 * CHATS))
        ids = {tenant: learner.record.episodes.ids(tenant=tenant) for tenant in (MINE, OTHER)}
    try:
        server.begin(home=home, log=tmp_path / "1", verbs=[("sleep", MINE), ("episode", ids[MINE][0]), ("sleep", OTHER)])
        second.begin(home=home, log=tmp_path / "2", verbs=[("episode", ids[OTHER][0]), ("sleep", MINE), ("episode", ids[MINE][1])])
        assert server.wait()
        assert second.wait()
    finally:
        second.close()
    with open_verbs(home) as learner:
        learner.resume()
        check_nights(learner)
        check_apart(learner, home)
        assert learner.record.erasures.find() == []
        assert len(learner.record.receipts.find()) == 3
        for tenant, number in ((MINE, 0), (MINE, 1), (OTHER, 0)):
            assert files_with(home, word(tenant, number)) == []
        assert learner.record.episodes.count(tenant=MINE) == CHATS - 2
        assert learner.record.episodes.count(tenant=OTHER) == 2 * CHATS - 1
        paths = [adapter.path for adapter in learner.record.adapters.find()]
        assert len(set(paths)) == len(paths)
