"""What grows with the record and what does not: `lifelong bench scale`."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ....core import Adapter, Settings, Task, Usage
from ....memory import Record, VectorIndex
from ....orchestrator import Components, LifelongLearner
from ....orchestrator.phases import NightContext, Work
from ....orchestrator.phases.reflect import Reflect
from ....perception import Encoder, HashedEncoder, MiniLMEncoder
from ....serving import ChatPiece, ChatReply, ChatRequest, Choice, in_one_piece, locate
from ...data.made_record import SKILLS, TENANTS, fill_record, made_goal
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .clock import resident, timed
from .turns import turn_rows

WAKES = 100
"""Requests timed, after as many first ones. One tenant is in memory then; of many each comes back for the first time, out of memory."""
SETTLED = 1800.0
"""Most seconds that the first start waits for perception and index to have read the whole record."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """One record to measure."""

    episodes: int
    """Episodes in all."""
    tenants: int = 1
    """Tenants that they are shared out among."""

    @property
    def case(self) -> str:
        """As the table calls it."""
        return f"{self.episodes or 'no'} episodes, {self.tenants} tenant{'s' if self.tenants > 1 else ''}"


FULL = (
    Size(episodes=0),
    Size(episodes=10_000),
    Size(episodes=100_000),
    Size(episodes=1_000_000),
    Size(episodes=10_000, tenants=1000),
    Size(episodes=100_000, tenants=1000),
)
QUICK = (Size(episodes=0), Size(episodes=2000), Size(episodes=2000, tenants=200))
REFLECTED = (200, 400, 800, 1600)
"""Episodes of one skill over which a night reflects."""
QUICK_REFLECTED = (200, 400)


class StubEngine:
    """Answers at once, so that what is timed is everything but the model."""

    model = "stub"

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """The same answer to everything."""
        return [ChatReply(text="done", usage=Usage(prompt_tokens=10, completion_tokens=2), logprob=-0.1) for _ in requests]

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """The same answer, whole."""
        yield from in_one_piece(self.chat([request])[0])

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        """The first option."""
        return Choice(index=0, logprobs=tuple(0.0 for _ in options), usage=Usage())

    def count_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def publish(self, adapter: Adapter) -> None:
        """Nothing is loaded."""

    def retire(self, name: str) -> None:
        """Nothing is loaded."""

    def close(self) -> None:
        """Nothing is held."""


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Measure every size: filled in one process, read in a fresh one. `data` is not read: episodes are made. One seed is enough."""
    encoder = "hashed" if quick else "minilm"
    rows: list[Row] = []
    sizes = (QUICK if quick else FULL) if only.wants_method(f"lifelong_{encoder}") else ()
    for size in (size for size in sizes if only.wants_case(size.case)):
        with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder:
            home = Path(folder)
            figures = {**_apart(fill, home, size), **_apart(settle, home, size, encoder), **_apart(measure, home, size, encoder)}
        rows += [
            Row(case=size.case, method=f"lifelong_{encoder}", metric=name, value=value, n=WAKES if name.startswith("wake") else 1)
            for name, value in figures.items()
        ]
    counts = (QUICK_REFLECTED if quick else REFLECTED) if only.wants_method("lifelong_hashed") else ()
    for episodes in (count for count in counts if only.wants_case(_reflection_case(count))):
        with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder:
            figures = _apart(reflection, Path(folder), episodes)
        case = _reflection_case(episodes)
        rows += [Row(case=case, method="lifelong_hashed", metric=name, value=value, n=1) for name, value in figures.items()]
    return rows + turn_rows(partial(_encoder, encoder), quick=quick, only=only, apart=_apart)


def _reflection_case(episodes: int) -> str:
    return f"reflection over {episodes} episodes"


def _apart(work: Callable[..., dict[str, float]], *values: object) -> dict[str, float]:
    """In a process of its own, whose memory is not that of the work before."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *values).result()


def fill(home: Path, size: Size) -> dict[str, float]:
    """Record the episodes: how long that takes, and their bytes on disk."""
    seconds = fill_record(home, size.episodes, size.tenants)
    # What follows is timed on a disk that does not still write this down.
    os.sync()
    return {
        "fill_seconds": seconds,
        "disk_mb": (sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 2**20),
    }


def settle(home: Path, size: Size, encoder: str) -> dict[str, float]:
    """The first start on a record that others filled: its first answer, and how long perception and index take to read it all.

    Loading the encoder is part of both.
    """
    begun = time.perf_counter()
    with _opened(home, encoder) as learner:
        learner.wake(next(_tasks(size, "first")))
        first = time.perf_counter() - begun
        tenant = TENANTS.format(0)
        while time.perf_counter() - begun < SETTLED:
            components = learner._components
            read = components.perceiver(tenant).position() == learner.record.changes.position(tenant)
            components.index.follow(learner.record, tenant)
            if read and components.index.complete(learner.record, tenant):
                break
            time.sleep(0.05)
        return {"first_start_answer_seconds": (first), "first_start_settled_seconds": (time.perf_counter() - begun)}


def measure(home: Path, size: Size, encoder: str) -> dict[str, float]:
    """A later start: opening, first answer, requests, status, memory and an erasure."""
    encode = _encoder(encoder)
    encode.encode(["the model is loaded before anything is measured"])
    before = resident()
    begun = time.perf_counter()
    learner = _opened(home, encoder, encode)
    opened = time.perf_counter() - begun
    tasks = _tasks(replace(size, tenants=min(size.tenants, WAKES)), "later")
    with learner:
        learner.wake(next(tasks))
        first = time.perf_counter() - begun
        firsts = [_seconds(lambda: learner.wake(next(tasks))) for _ in range(WAKES)]
        times, work = np.array([timed(lambda: learner.wake(next(tasks))) for _ in range(WAKES)]).T
        status = _seconds(lambda: learner.status(TENANTS.format(0)))
        held = resident() - before
        figures = {
            "open_seconds": (opened),
            "first_answer_seconds": (first),
            "wake_p50_ms": 1000 * float(np.percentile(times, 50)),
            "wake_p95_ms": 1000 * float(np.percentile(times, 95)),
            # Of the processor alone: these do not depend on what else the machine is doing, nor on its disk.
            "wake_cpu_p50_ms": 1000 * float(np.percentile(work, 50)),
            "wake_cpu_p95_ms": 1000 * float(np.percentile(work, 95)),
            "status_seconds": (status),
            "resident_mb": (held / 2**20),
        }
        if size.tenants > 1:
            # A tenant's very first request calibrates what is known of it, from then on its file tells.
            figures["wake_first_p50_ms"] = 1000 * float(np.percentile(firsts, 50))
        if size.episodes:
            figures["forget_one_seconds"] = _seconds(lambda: learner.forget(episode=f"run-{0:08d}", rebuild=False))
    return figures


def reflection(home: Path, episodes: int) -> dict[str, float]:
    """One night's reflection over one of the skills, of which there are so many episodes, a third of them failed."""
    fill(home, Size(episodes=episodes * len(SKILLS)))
    with _opened(home, "hashed") as learner:
        night = NightContext(components=learner._components, environments={}, tenant=TENANTS.format(0))
        # What perception reads once, at a first start, is no part of it.
        night.components.perceiver(night.tenant)
        seconds, worked = timed(lambda: Reflect().run(night, Work(skill=SKILLS[0])))
    return {"reflect_seconds": seconds, "reflect_cpu_seconds": worked}


def _tasks(size: Size, name: str) -> Iterator[Task]:
    number = 0
    while True:
        skill = SKILLS[number % len(SKILLS)]
        goal = made_goal(number, 10**6 + number)
        yield Task(id=f"{name}-{number}", goal=goal, tenant=TENANTS.format(number % size.tenants), skill=skill, environment="made")
        number += 1


def _opened(home: Path, encoder: str, encode: Encoder | None = None) -> LifelongLearner:
    settings = Settings(home=home)
    record = Record(home / "record.sqlite3")
    index = VectorIndex(record.index_directory)
    components = Components(
        settings=settings, engine=StubEngine(), encoder=encode or _encoder(encoder), record=record, index=index, base_path=home
    )
    return LifelongLearner(components)


def _encoder(name: str) -> Encoder:
    return HashedEncoder() if name == "hashed" else MiniLMEncoder(locate("all-minilm-l6-v2"))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
