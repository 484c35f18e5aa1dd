from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Adapter, NothingFound, Recall
from lifelong.memory import Record, delete_artefact, delete_checkpoints, delete_run_documents, delete_strays
from lifelong.memory.artefacts import CHECKPOINT, CHECKPOINT_KIND, NAVIGATOR, RUN_KIND, RUN_MARK, run_folder

VECTOR = np.ones(4, dtype=np.float32)


def made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "training.json").write_text(json.dumps({"recipe": {}, "report": {}}))
    (directory / "weights").write_bytes(b"w")
    return directory


def test_only_marked_folders_right_below_the_root_are_deleted(tmp_path: Path) -> None:
    root = tmp_path / "home" / "adapters"
    ours, thesis, outside = made(root / "v1"), root / "thesis", made(tmp_path / "elsewhere")
    thesis.mkdir()
    (thesis / "training.json").write_text("my training log")
    link = root / "link"
    link.symlink_to(outside)
    assert delete_artefact(ours, root)
    assert not ours.exists()
    for other in (thesis, outside, link, root, tmp_path, root / ".." / ".." / "elsewhere"):
        assert not delete_artefact(other, root)
        assert other.exists()
    assert delete_artefact(root / "never was", root)


def test_folders_that_no_row_names_are_not_trusted(record: Record, tmp_path: Path) -> None:
    root = tmp_path / "adapters"
    known, stray, training = made(root / "v1"), made(root / "v2"), made(root / "v3")
    (root / ".v4.partial").mkdir()
    (root / "notes").mkdir()
    record.adapters.record(Adapter(name="v1", path=str(known), base="b", rank=4))
    assert delete_strays(record, root, keep=["v3"]) == [".v4.partial", "v2"]
    assert known.exists()
    assert training.exists()
    assert (root / "notes").exists()
    assert not stray.exists()


def test_what_lost_a_copy_while_it_was_learned_from_is_refused(record: Record) -> None:
    secret = replace(example_episode(0), correction="zq-canary-7f3a is the answer")
    plain = example_episode(1)
    memory = Recall(text="Example: zq-canary-7f3a is the answer", episodes=(secret.id,))
    reader = replace(plain, steps=(plain.steps[0], memory, *plain.steps[1:]))
    record.episodes.record_many([(secret, VECTOR), (reader, VECTOR), (example_episode(2), VECTOR)])
    before = record.made_from("default", [reader.id, "default-2"])
    candidate = Adapter(name="v1", path="/v1", base="b", rank=4, episodes=(reader.id, "default-2"))
    record.erase([secret.id])
    assert record.episodes.get(reader.id), "it stays, without the copy"
    with pytest.raises(NothingFound, match="erased meanwhile"):
        record.adapters.record(candidate, made_from=before)
    assert record.adapters.find() == []
    record.adapters.record(candidate, made_from=record.made_from("default", candidate.episodes))
    with pytest.raises(NothingFound):
        record.made_from("somebody else", candidate.episodes)


@pytest.mark.parametrize("mark", [None, "{", "[]", '{"kind": "another program", "plan": {}}', '{"kind": "lifelong run", "plan": 1}'])
def test_the_documents_beside_a_home_are_deleted_in_a_run_of_ours_alone(tmp_path: Path, mark: str | None) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("summary.json", "report.html", "thesis.html"):
        (tmp_path / name).write_text("x")
    if mark is not None:
        (tmp_path / RUN_MARK).write_text(mark)
    assert run_folder(home) is None
    assert delete_run_documents(home) == []
    (tmp_path / RUN_MARK).write_text(json.dumps({"kind": RUN_KIND, "plan": {}}))
    assert run_folder(home) == tmp_path
    assert run_folder(tmp_path / "other") is None
    assert delete_run_documents(home) == ["summary.json", "report.html"]
    assert delete_run_documents(home) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", RUN_MARK, "thesis.html"]


def test_a_deletion_that_dies_halfway_is_finished(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "adapters"

    class Died(BaseException):
        pass

    def half(path: Path, *_: object, **__: object) -> None:
        if path.exists():
            (path / "training.json").unlink()
            raise Died

    directory = made(root / "v1")
    with monkeypatch.context() as patched:
        patched.setattr("lifelong.memory.artefacts.shutil.rmtree", half)
        with pytest.raises(Died):
            delete_artefact(directory, root)
    assert [path.name for path in root.rglob("weights")] == ["weights"]
    assert delete_artefact(directory, root)
    delete_strays(record, root)
    assert list(root.iterdir()) == []


def checkpoint(home: Path, name: str, *episodes: str, kind: str = CHECKPOINT_KIND) -> Path:
    folder = home / NAVIGATOR / name
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_text(json.dumps({"kind": kind, "episodes": list(episodes)}))
    return folder


def test_checkpoints_go_from_the_first_that_learned_from_the_erased(tmp_path: Path) -> None:
    folders = [checkpoint(tmp_path, f"stage-{number}", f"e{number}") for number in (1, 2, 3, 10)]
    other = checkpoint(tmp_path, "notes", "e2")
    assert delete_checkpoints(tmp_path, ["unknown"]) == []
    assert delete_checkpoints(tmp_path, []) == []
    assert delete_checkpoints(tmp_path, ["e2", "e10"]) == ["navigator/stage-2", "navigator/stage-3", "navigator/stage-10"]
    assert [folder.exists() for folder in (*folders, other)] == [True, False, False, False, True]
    assert delete_checkpoints(tmp_path, ["e2"]) == []
    assert delete_checkpoints(tmp_path / "nowhere", ["e2"]) == []


def test_a_checkpoint_that_cannot_be_read_or_was_being_written_goes_too(tmp_path: Path) -> None:
    draft = checkpoint(tmp_path, ".stage-2.17.4.draft")
    (draft / CHECKPOINT).unlink()
    checkpoint(tmp_path, "stage-3", "e3")
    kept = checkpoint(tmp_path, "stage-1", "e1")
    assert delete_checkpoints(tmp_path, ["unknown"]) == [f"navigator/{draft.name}", "navigator/stage-3"]
    (kept / CHECKPOINT).write_text("[]")
    assert delete_checkpoints(tmp_path, ["unknown"]) == ["navigator/stage-1"]
