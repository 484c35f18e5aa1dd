"""A folder for each run, and nothing of anybody else's is changed or removed."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from lifelong.core import SettingsError
from lifelong.memory.artefacts import RUN_MARK
from lifelong.runs.folders import LATEST, begin_run, discard_run, find_run, is_run, point_latest, write_file

PLAN = {"environments": ["database"], "corrections": 4, "seed": 0}


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below with its content, and every link with its target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = os.readlink(path) if path.is_symlink() else "/" if path.is_dir() else path.read_text()
    return found


def test_a_run_begins_beside_what_is_there(tmp_path: Path) -> None:
    theirs = tmp_path / "home" / "alice" / "thesis"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("x")
    first, second = begin_run(tmp_path, PLAN), begin_run(tmp_path, PLAN)
    assert first != second
    assert is_run(first)
    assert theirs.read_text() == "x"
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert stat.S_IMODE((first / RUN_MARK).stat().st_mode) == 0o600


def test_latest_moves_on_and_the_earlier_run_stays(tmp_path: Path) -> None:
    first = begin_run(tmp_path, PLAN)
    point_latest(first)
    (first / "summary.json").write_text("first")
    second = begin_run(tmp_path, PLAN)
    assert find_run(tmp_path, PLAN) == first, "a run that has not opened is not the latest yet"
    point_latest(second)
    assert find_run(tmp_path, PLAN) == second
    assert find_run(first, PLAN) == first, "a run can be named itself"
    assert (first / "summary.json").read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.name, second.name, LATEST])


def test_without_a_link_the_newest_run_is_resumed(tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("20260301-100000-aaaa", "20260302-100000-aaaa")]
    for run in runs:
        begin_run(tmp_path, PLAN).rename(run)
    (tmp_path / "20269999-100000-aaaa").mkdir()
    assert find_run(tmp_path, PLAN) == runs[1]


def test_a_run_goes_on_only_as_it_began(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no run to resume"):
        find_run(tmp_path / "nowhere", PLAN)
    begin_run(tmp_path, PLAN)
    with pytest.raises(SettingsError, match="use the same flags"):
        find_run(tmp_path, {**PLAN, "corrections": 5})


def a_file(folder: Path) -> Path:
    (folder / "file").write_text("mine")
    return folder / "file"


def below_a_file(folder: Path) -> Path:
    return a_file(folder) / "deeper"


def latest_is_a_folder(folder: Path) -> Path:
    (folder / LATEST / "home").mkdir(parents=True)
    (folder / LATEST / "home" / "record.sqlite3").write_text("earlier")
    return folder


def latest_points_elsewhere(folder: Path) -> Path:
    (folder / "precious").mkdir()
    (folder / LATEST).symlink_to("precious")
    return folder


@pytest.mark.parametrize("make", [a_file, below_a_file, latest_is_a_folder, latest_points_elsewhere])
def test_an_out_that_cannot_be_used_is_refused_and_untouched(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    out = make(tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(SettingsError, match=str(out)):
        begin_run(out, PLAN)
    assert snapshot(tmp_path) == before


def test_the_root_of_a_drive_and_a_run_itself_are_refused(tmp_path: Path) -> None:
    root = Path(tmp_path.anchor)
    before = sorted(path.name for path in root.iterdir())
    for out in (root, tmp_path / Path(*[".."] * 40)):
        with pytest.raises(SettingsError, match="root of a drive"):
            begin_run(out, PLAN)
    assert sorted(path.name for path in root.iterdir()) == before
    run = begin_run(tmp_path, PLAN)
    with pytest.raises(SettingsError, match="itself a run"):
        begin_run(run, PLAN)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SettingsError, match="Permission denied; name a folder"):
        begin_run(tmp_path / "out", PLAN)


@pytest.mark.parametrize("mark", [None, "", "[]", "{}", '{"kind": "other", "plan": {}}', '{"kind": "lifelong run", "plan": 1}'])
def test_only_a_marked_folder_is_ever_removed(tmp_path: Path, mark: str | None) -> None:
    (tmp_path / "home").mkdir()
    if mark is not None:
        (tmp_path / RUN_MARK).write_text(mark)
    with pytest.raises(SettingsError, match="left as it is"):
        discard_run(tmp_path)
    assert (tmp_path / "home").is_dir()


def test_discarding_removes_the_run_and_not_what_it_links_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    run = begin_run(tmp_path / "out", PLAN)
    (run / "link").symlink_to(outside)
    discard_run(run)
    assert not run.exists()
    assert (outside / "file").read_text() == "mine"


def test_a_file_appears_whole_and_private(tmp_path: Path) -> None:
    write_file(tmp_path / "a.json", json.dumps(PLAN))
    assert json.loads((tmp_path / "a.json").read_text()) == PLAN
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o600
