from __future__ import annotations

import json
from pathlib import Path

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
    assert "lifelong forget --episode" in listed.output
    empty = CliRunner().invoke(app, ["memory", "list", "--tenant", "somebody", *flags])
    assert "nothing was found" in empty.output
