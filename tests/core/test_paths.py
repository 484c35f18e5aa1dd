"""Public functions take a path as text as well as `Path`; drafts are told from every other file."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from lifelong.core import Settings
from lifelong.core.paths import delete_drafts, draft_path
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


def test_drafts_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    names = ("notes.draft", ".notes.draft", ".plan.7.draft", "letter.1.2.draft", ".1.2.draft.txt", "heads.npz")
    for name in names:
        (tmp_path / name).write_text("somebody's")
    (tmp_path / ".folder.1.2.draft").mkdir()
    fresh, old = draft_path(tmp_path / "heads.npz"), draft_path(tmp_path / "a\nname")
    for file in (fresh, old):
        file.write_text("half")
    os.utime(old, (0, time.time() - 7200))
    assert delete_drafts(tmp_path, older_than=3600) == [old.name]
    assert delete_drafts(tmp_path) == [fresh.name]
    assert delete_drafts(tmp_path / "none") == []
    assert {file.name for file in tmp_path.iterdir()} == {*names, ".folder.1.2.draft"}
