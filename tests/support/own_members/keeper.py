"""Somebody's own store, held to the contract and then opened by a learner under its name."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lifelong.checks import check_store
from lifelong.core import Settings, Task
from lifelong.core.plugins import create
from lifelong.orchestrator import LifelongLearner


def keep(name: str, engine: str) -> None:
    """Check the store of that name, let a learner remember and forget with it, and find its own line."""
    with tempfile.TemporaryDirectory() as folder:
        check_store(lambda path: create("stores", name, path=path), Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        values = {"home": home, "memory.store": name, "memory.encoder": "hashed", "model.engine": engine}
        with LifelongLearner.open(Settings().with_values(values)) as learner:
            episode = learner.wake(Task(id="1", goal="Flip 1."))
            assert learner.forget(episode=episode.id).erasure == "exact"
        assert (home / "erasures.log").read_text().startswith("1 episodes")
