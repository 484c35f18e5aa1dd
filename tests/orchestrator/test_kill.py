"""`kill -9` at random moments of wake and in every phase of sleep: nothing acknowledged is lost, the run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifelong.core import AdapterStatus
from lifelong.memory import Record
from lifelong.orchestrator import PHASES as SLEEP_PHASES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SUPPORT = Path(__file__).resolve().parent.parent / "support"
KILLS = 50
# Every phase of sleep, whichever there are, killed at its beginning and at its end.
PHASES = [(phase, count) for phase in (*(phase.name for phase in SLEEP_PHASES), "awake", "awake again") for count in (1, 2)]


class Nursery:
    """Starts runs in processes that share loaded packages."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(SUPPORT)}
        self._process = subprocess.Popen(
            [sys.executable, str(SUPPORT / "nursery.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the nursery died; its traceback is on standard error"
        return line

    def run(self, home: Path, model: Path, *, phase: str = "", count: int = 0, after: float | None = None) -> bool:
        """Run in `home` until its end, the phase, or `after` seconds; whether it came to its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{home}\t{model}\t{phase}\t{count}\n")
        self._process.stdin.flush()
        child = int(self._read())
        if after is not None:
            time.sleep(after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        status = int(self._read().removeprefix("exit "))
        assert os.WIFSIGNALED(status) or status == 0, "the run failed by itself; its traceback is on standard error"
        return status == 0

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


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


def test_fifty_kills_lose_nothing_and_change_nothing(nursery: Nursery, tiny_model: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    assert nursery.run(tmp_path / "undisturbed", tiny_model)
    length = time.monotonic() - started
    undisturbed = result(tmp_path / "undisturbed")
    assert any(night["published"] for night in undisturbed["nights"])  # type: ignore[attr-defined]

    rng = random.Random(7)
    kills = lives = 0
    phases = list(PHASES)
    while kills < KILLS:
        home = tmp_path / f"life-{lives}"
        lives += 1
        finished = False
        while not finished:
            # Each life is killed a few times; phases by name first, then wherever the clock strikes.
            if kills >= KILLS or rng.random() < 0.1:
                finished = nursery.run(home, tiny_model)
            elif phases:
                phase, count = phases.pop()
                finished = nursery.run(home, tiny_model, phase=phase, count=count)
            else:
                finished = nursery.run(home, tiny_model, after=rng.uniform(0, length))
            kills += not finished
            check(home)
        assert result(home) == undisturbed
    print(f"{kills} kills in {lives} lives")
