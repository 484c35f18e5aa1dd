from __future__ import annotations

import json
from pathlib import Path

import pytest
from scripted import open_scripted
from typer.testing import CliRunner

from lifelong.interfaces.cli import app
from lifelong.memory import Record
from tests.memory.sqlite.turns.test_store import said


def home(path: Path) -> Path:
    with Record(path / "record.sqlite3") as record:
        said(record, "My sister Ada lives in Bern.", id="a")
        said(record, "The harbour has many ships.", id="b")
    return path


def test_search_and_list_show_what_was_said(tmp_path: Path) -> None:
    flags = ["--home", str(home(tmp_path)), "--set", "memory.encoder=hashed"]
    result = CliRunner().invoke(app, ["memory", "search", "Where does my sister Ada live?", "--json", *flags])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)[0]["text"] == "My sister Ada lives in Bern."
    listed = CliRunner().invoke(app, ["memory", "list", "--limit", "1", *flags])
    assert "The harbour has many ships." in listed.output
    assert "Ada" not in listed.output
    assert "lifelong memory show | edit | forget" in listed.output
    empty = CliRunner().invoke(app, ["memory", "list", "--tenant", "somebody", *flags])
    assert "nothing was found" in empty.output


def test_one_thing_is_shown_pinned_edited_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--home", str(home(tmp_path)), "--set", "memory.encoder=hashed"]

    def run(*command: str) -> str:
        result = CliRunner().invoke(app, ["memory", *command, *flags])
        assert result.exit_code == 0, result.output
        return result.output

    monkeypatch.setattr("lifelong.interfaces.commands.learner.open_learner", lambda settings, data: open_scripted(settings.home))
    number = json.loads(run("search", "Ada", "--json"))[0]["number"]
    shown = run("show", str(number))
    assert "My sister Ada lives in Bern." in shown
    assert "The harbour has many ships." in shown, "what was said after it"
    assert json.loads(run("show", str(number), "--json"))["pinned"] is False
    assert "nothing stands in the profile" in run("profile")
    assert "is pinned" in run("pin", str(number))
    assert "pinned  The user said, 1970-01-01: My sister Ada lives in Bern." in run("profile")
    assert json.loads(run("profile", "--json"))[0]["topic"] == "pinned"
    assert "held as number" in run("edit", str(number), "My sister Ada lives in Rome.")
    assert "Bern" not in run("list")
    assert "Rome" in run("profile")
    number = json.loads(run("search", "Ada", "--json"))[0]["number"]
    assert "no longer pinned" in run("pin", str(number), "--off")
    assert json.loads(run("forget", str(number)))["erasure"] == "exact"
    assert "Ada" not in run("list")
    refused = CliRunner().invoke(app, ["memory", "show", str(number), *flags])
    assert refused.exit_code != 0
