"""Public functions take a path as text as well as `Path`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lifelong.core import Settings
from lifelong.envs import make_environment
from lifelong.evals import make_results, read_results, write_results
from lifelong.learners import RidgeHead, load_head, save_head
from lifelong.memory import CueMemory, Record, VectorIndex, audit


def test_paths_may_be_text(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert Settings(home=folder).home == tmp_path  # type: ignore[arg-type]
    with Record(f"{folder}/record.sqlite3") as record:
        assert record.path == tmp_path / "record.sqlite3"
        VectorIndex(f"{folder}/index").sync(record, "ann")
    memory = CueMemory()
    memory.remember(np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32), np.arange(8) % 2)
    memory.save(f"{folder}/cues.npz")
    np.testing.assert_array_equal(CueMemory.load(f"{folder}/cues.npz").labels, [0, 1])
    head, again = RidgeHead(), RidgeHead()
    head.learn(np.eye(3, dtype=np.float32), np.arange(3))
    save_head(head, f"{folder}/head.npz")
    load_head(again, f"{folder}/head.npz")
    np.testing.assert_array_equal(again.predict(np.eye(3, dtype=np.float32)), [0, 1, 2])
    write_results(f"{folder}/figures.json", make_results("none", []))
    assert read_results(f"{folder}/figures.json").suite == "none"
    assert audit(folder, ["nowhere to be found"]).found == ()
    assert make_environment("database", folder).id == "database-v1"
