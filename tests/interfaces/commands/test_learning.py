"""Commands that change what the system knows, called as functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from nights import corrected_chats, open_fake
from typer.testing import CliRunner

from lifelong.core import NothingFound
from lifelong.interfaces.cli import app
from lifelong.interfaces.commands import learner as opening
from lifelong.interfaces.commands import learning
from lifelong.runs import job

RUN = CliRunner()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What `lifelong run` asks of the job, which is not run."""
    kept: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "run_job", lambda settings, **values: kept.update(values, settings=settings))
    return kept


def test_run_reads_its_flags(asked: dict[str, Any]) -> None:
    result = RUN.invoke(app, ["run", "--environments", "graph, database,", "--tasks", "9,8,0", "--seed", "4", "--corrections", "7"])
    assert result.exit_code == 0, result.output
    assert (asked["environments"], asked["tasks"], asked["corrections"]) == (["graph", "database"], (9, 8, 0), 7)
    assert (asked["settings"].seed, asked["resume"], asked["out"]) == (4, False, Path("runs"))


def test_the_old_flag_is_read_and_said(asked: dict[str, Any]) -> None:
    result = RUN.invoke(app, ["run", "--families", "graph"])
    assert result.exit_code == 0
    assert asked["environments"] == ["graph"]
    assert "--families is now called --environments" in result.stderr


@pytest.mark.parametrize("tasks", ["9", "9,8", "9,8,7,6", "9,x,0", "0,8,0", "9,0,0", "-1,2,3"])
def test_sizes_that_are_none_are_refused(tasks: str) -> None:
    with pytest.raises(typer.BadParameter, match="three whole numbers"):
        learning._sizes(tasks)


def test_an_interrupted_run_says_how_to_go_on(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "run_job", interrupted)
    result = RUN.invoke(app, ["run"])
    assert result.exit_code == learning.INTERRUPTED == 130
    assert "--resume" in result.stderr


def test_a_night_a_rollback_and_an_erasure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with open_fake(home, monkeypatch) as learner:
        ids = corrected_chats(learner, 12)
    monkeypatch.setattr(opening, "open_learner", lambda settings, data: open_fake(settings.home, monkeypatch))
    slept = RUN.invoke(app, ["sleep", "--home", str(home)])
    assert "chat: lifelong-v0001 published" in slept.output
    assert "nothing to learn" in RUN.invoke(app, ["sleep", "--home", str(home)]).output
    assert "chat: the base model serves again" in RUN.invoke(app, ["rollback", "--home", str(home)]).output
    again = RUN.invoke(app, ["rollback", "--home", str(home)])
    assert isinstance(again.exception, NothingFound), "which the command line says in one line"
    receipt = RUN.invoke(app, ["forget", "--episode", ids[0], "--home", str(home)])
    assert receipt.exit_code == 0, receipt.output
    assert f'"asked": "episode={ids[0]}"' in receipt.output
    assert RUN.invoke(app, ["forget", "--home", str(home)]).exit_code == 2
