"""`run_job` in its folders: what a failed start, an earlier run and somebody else's files come to."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import EngineUnreachable, Settings, SettingsError
from lifelong.core.paths import draft_path
from lifelong.orchestrator import LifelongLearner
from lifelong.runs import job
from lifelong.runs.job import run_job

SETTINGS = Settings().with_values({"memory.encoder": "hashed"})


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of a few tasks whose engine says "done" to everything."""
    monkeypatch.setitem(job.SIZES, "database", (4, 2, 0))
    monkeypatch.setattr(LifelongLearner, "open", lambda settings, *_: open_scripted(settings.home))


def run(out: Path, resume: bool = False, corrections: int = 0) -> Path:
    return run_job(SETTINGS, environments=["database"], corrections=corrections, out=out, resume=resume)


@pytest.mark.usefixtures("small")
def test_a_second_run_leaves_the_first_as_it_was(tmp_path: Path) -> None:
    first = run(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in first.iterdir()}
    second = run(tmp_path)
    assert first != second
    assert {path.name: path.stat().st_mtime_ns for path in first.iterdir()} == before
    assert os.readlink(tmp_path / "latest") == second.name
    for name in ("summary.json", "report.html", "home/record.sqlite3"):
        assert (tmp_path / "latest" / name).is_file()


@pytest.mark.usefixtures("small")
def test_resume_goes_on_with_the_latest_run(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert run(tmp_path, resume=True) == first
    assert run(first, resume=True) == first
    with pytest.raises(SettingsError, match="use the same flags"):
        run(tmp_path, resume=True, corrections=3)


def test_a_start_that_fails_touches_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "home" / "alice" / "thesis"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("x")

    def unreachable(settings: Settings, *_: object) -> LifelongLearner:
        settings.home.mkdir()
        raise EngineUnreachable("the engine does not answer; start it")

    monkeypatch.setattr(LifelongLearner, "open", unreachable)
    with pytest.raises(EngineUnreachable):
        run(tmp_path)
    assert theirs.read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.usefixtures("small")
def test_a_start_that_fails_on_resume_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path)
    summary = json.loads((first / "summary.json").read_text())

    def unreachable(*_: object) -> LifelongLearner:
        raise EngineUnreachable("the engine does not answer; start it")

    monkeypatch.setattr(LifelongLearner, "open", unreachable)
    with pytest.raises(EngineUnreachable):
        run(tmp_path, resume=True)
    assert json.loads((first / "summary.json").read_text()) == summary
    assert (first / "home" / "record.sqlite3").is_file()


@pytest.mark.usefixtures("small")
def test_an_erasure_reaches_the_documents_of_the_run(tmp_path: Path) -> None:
    folder = run(tmp_path)
    assert "stream-00000" in (folder / "home" / "record.sqlite3").read_bytes().decode("latin-1")
    draft = draft_path(folder / "report.html")
    draft.write_text("half a page")
    with open_scripted(folder / "home") as learner:
        goal = learner.record.episodes.get("stream-00000").task.goal
        receipt = learner.forget(episode="stream-00000")
    assert receipt.documents == (draft.name, "report.html", "summary.json")
    assert sorted(path.name for path in folder.iterdir()) == ["home", "run.json"]
    assert (receipt.erasure, receipt.found) == ("exact", ())
    assert not [path for path in folder.rglob("*") if path.is_file() and goal.encode() in path.read_bytes()]
    run(folder, resume=True)
    assert (folder / "summary.json").is_file()


@pytest.mark.usefixtures("small")
def test_an_erasure_names_a_stranger_s_file_in_the_run_s_folder_and_leaves_it(tmp_path: Path) -> None:
    folder = run(tmp_path)
    (folder / "my-notes.txt").write_text("the first one was stream-00000")
    with open_scripted(folder / "home") as learner:
        receipt = learner.forget(episode="stream-00000")
    assert (receipt.erasure, receipt.found) == ("approximate", ("../my-notes.txt",))
    assert (folder / "my-notes.txt").is_file()


@pytest.mark.usefixtures("small")
def test_an_erasure_waits_for_documents_that_are_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erasing: list[threading.Thread] = []
    write = job.write_report

    def slow(summary: dict[str, object], path: Path) -> Path:
        home = path.parent / "home"
        erasing.append(threading.Thread(target=lambda: forget(home)))
        erasing[0].start()
        erasing[0].join(0.5)
        return write(summary, path)

    def forget(home: Path) -> None:
        with open_scripted(home) as learner:
            learner.forget(episode="stream-00000")

    monkeypatch.setattr(job, "write_report", slow)
    folder = run(tmp_path)
    erasing[0].join(30)
    assert sorted(path.name for path in folder.iterdir()) == ["home", "run.json"]


def test_object_navigation_runs_with_the_expert_s_corrections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LifelongLearner, "open", lambda settings, *_: open_scripted(settings.home))
    folder = run_job(SETTINGS, environments=["objectnav-grid-v1"], corrections=1, out=tmp_path, tasks=(2, 1, 0))
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["corrections"] == {"budget": 1, "used": 1}
    assert {row["environment"] for row in summary["evaluations"]} == {"objectnav-grid"}
    with open_scripted(folder / "home") as learner:
        episodes = [learner.record.episodes.get(id) for id in learner.record.episodes.ids()]
    [shown] = [one for one in episodes if one.demonstration]
    assert shown.outcome.success
