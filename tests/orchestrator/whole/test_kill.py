"""`kill -9` at random moments of wake and in every phase of sleep: nothing acknowledged is lost, the run goes on."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes.fork_server import ForkServer

from lifelong.core import AdapterStatus
from lifelong.memory import Record
from lifelong.orchestrator import PHASES as SLEEP_PHASES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

KILLS = 36
# Every phase of sleep, whichever there are, killed at its beginning and at its end.
PHASES = [(phase, count) for phase in (*(phase.name for phase in SLEEP_PHASES), "awake", "awake again") for count in (1, 2)]


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer("killable_run.py")
    yield server
    server.close()


def check(home: Path) -> None:
    """What must hold at any moment, whatever was interrupted."""
    file = home.with_suffix(".acknowledged")
    acknowledged = file.read_text().split() if file.exists() else []
    if not (home / "record.sqlite3").exists():
        assert not acknowledged
        return
    with Record(home / "record.sqlite3") as record:
        for id_ in acknowledged:
            assert record.episodes.get(id_).id == id_
        serving = set(record.adapters.routes("default").values())
        for adapter in record.adapters.find():
            assert (adapter.name in serving) == (adapter.status is AdapterStatus.LIVE)
            if adapter.status is AdapterStatus.LIVE:
                assert (Path(adapter.path) / "adapter_model.safetensors").stat().st_size > 0
                assert (Path(adapter.path) / "training.json").exists()


def result(home: Path) -> dict[str, object]:
    return json.loads(home.with_suffix(".json").read_text())  # type: ignore[no-any-return]


def test_kills_lose_nothing_and_change_nothing(server: ForkServer, tiny_model: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    assert server.run(home=tmp_path / "undisturbed", model=tiny_model)
    length = time.monotonic() - started
    undisturbed = result(tmp_path / "undisturbed")
    assert any(night["published"] for night in undisturbed["nights"])  # type: ignore[attr-defined]

    rng = random.Random(7)
    kills = runs = 0
    phases = list(PHASES)
    while kills < KILLS:
        home = tmp_path / f"run-{runs}"
        runs += 1
        finished = False
        while not finished:
            # Each run is killed a few times; phases by name first, then wherever the clock strikes.
            if kills >= KILLS or rng.random() < 0.1:
                finished = server.run(home=home, model=tiny_model)
            elif phases:
                phase, count = phases.pop()
                finished = server.run(home=home, model=tiny_model, phase=phase, count=count)
            else:
                finished = server.run(home=home, model=tiny_model, after=rng.uniform(0, length))
            kills += not finished
            check(home)
        assert result(home) == undisturbed
    print(f"{kills} kills in {runs} runs")
