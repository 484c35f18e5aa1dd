"""Sleep and forget of two tenants, in a process that is killed at a given event: a write, a transaction or the edge of a phase."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nights import FakeTrainer, open_fake

from lifelong.core import Task
from lifelong.memory.sqlite.database import Database
from lifelong.orchestrator import LifelongLearner
from processes.fork_server import serve

CHATS = 12
"""Corrected chats of a tenant before its night."""
FILES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.truncate"}
"""Audit events that change files; a file opened for writing is one more."""


def word(tenant: str, number: int) -> str:
    """What only this chat of this tenant says."""
    letters = "".join(chr(ord("a") + (number * 7 + place * (number + 3)) % 26) for place in range(8))
    return f"qz{tenant}{letters}{number:02d}"


def chats(learner: LifelongLearner, tenant: str, numbers: Sequence[int]) -> list[str]:
    """Ask and correct."""
    ids = []
    for number in numbers:
        task = Task(
            id=f"{tenant}-{number}", goal=f"Order {word(tenant, number)} of brushes", tenant=tenant, environment="chat", skill="chat"
        )
        episode = learner.wake(task)
        learner.feedback(episode.id, tenant=tenant, success=False, correction=f"[{word(tenant, number)} x{number}] ok")
        ids.append(episode.id)
    return ids


@contextmanager
def open_verbs(home: Path) -> Iterator[LifelongLearner]:
    """A learner whose nights take no seconds and whose adapters hold every text that they have learned from."""
    # The trainer's place is given back at the end: other tests of this process train in earnest.
    with pytest.MonkeyPatch.context() as patched, open_fake(home, patched, FakeTrainer(), **{"memory.recall": "off"}) as learner:
        yield learner


@contextmanager
def killed_at(home: Path, number: int, log: Path) -> Iterator[Any]:
    """Count the events and write their names down; the process dies by SIGKILL at the `number`-th, before what it announces."""
    count = 0
    names = log.open("a")
    inside = str(home.resolve())

    def event(name: str) -> None:
        nonlocal count
        count += 1
        names.write(name + "\n")
        if count == number:
            names.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(name: str, values: tuple[Any, ...]) -> None:
        writes = name == "open" and isinstance(values[1], str) and any(letter in values[1] for letter in "wax+")
        if (writes or name in FILES) and isinstance(values[0], str | Path) and str(values[0]).startswith(inside):
            event(f"{name} {Path(values[0]).name}")

    whole, scrub = Database.transaction, Database.scrub

    @contextmanager
    def transaction(self: Database, *, synced: bool = True) -> Iterator[Any]:
        outermost = not self._connection.in_transaction
        if outermost:
            event("before a transaction")
        with whole(self, synced=synced) as connection:
            yield connection
            if outermost:
                event("inside a transaction")

    def emptied(self: Database, seconds: float) -> bool:
        event("before the log is emptied")
        return scrub(self, seconds)

    Database.transaction, Database.scrub = transaction, emptied  # type: ignore[assignment,method-assign]
    sys.addaudithook(hook)
    yield lambda phase, done, total: event(f"phase {phase} {done}/{total}")
    names.close()


def act(home: str, log: str, verbs: Sequence[Sequence[str]], kill: int = 0) -> None:
    """Carry out `verbs`: ("sleep", tenant), ("episode", id) or ("tenant", tenant)."""
    folder = Path(home)
    with open_verbs(folder) as learner, killed_at(folder, kill, Path(log)) as progress:
        for verb, value in verbs:
            if verb == "sleep":
                learner.sleep(tenant=value, progress=progress)
            else:
                learner.forget(**{verb: value}, progress=progress)


if __name__ == "__main__":
    serve(act)
