"""`status`, `lessons` and `rollback` on a record with something in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lifelong.core import Action, Adapter, Episode, Judge, Lesson, Outcome, Task
from lifelong.interfaces.cli import app
from lifelong.memory import Record


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Record(tmp_path / "record.sqlite3") as record:
        for number in range(4):
            episode = Episode(
                id=f"e{number}",
                task=Task(id=f"t{number}", goal="count the rows"),
                steps=(Action(text="4"),),
                outcome=Outcome(success=number != 3, judge=Judge.ENVIRONMENT),
                skill="database",
                control=number == 3,
                offered=True,
            )
            record.episodes.record(episode, np.eye(4, dtype=np.float32)[number])
        record.lessons.record(Lesson(id="l", tenant="default", skill="database", text="Use COUNT(*).", episodes=("e0", "e1"), helped=5))
        for version in (1, 2):
            adapter = Adapter(name=f"lifelong-v000{version}", path=str(tmp_path / str(version)), base="base", rank=4, episodes=("e0",))
            record.adapters.record(adapter)
            record.adapters.publish(adapter, ["database"])
    return tmp_path


def test_status_tells_the_figures(home: Path) -> None:
    result = CliRunner().invoke(app, ["status", "--home", str(home)])
    assert result.exit_code == 0, result.output
    assert "4, of which 3 may be learned from" in result.output
    assert "database: 4 episodes, served by lifelong-v0002" in result.output
    assert "3 of 3 tasks solved" in result.output
    assert "0 of 1 tasks solved" in result.output
    assert "+1.000" in result.output


def test_lessons_show_their_evidence(home: Path) -> None:
    result = CliRunner().invoke(app, ["lessons", "--home", str(home)])
    assert "helped 5, harmed 0" in result.output
    assert "Use COUNT(*)." in result.output
    assert "e0, e1" in result.output
    assert "no lessons yet" in CliRunner().invoke(app, ["lessons", "--home", str(home), "--skill", "graph"]).output


def test_rollback_goes_back_one_version_and_says_so(home: Path) -> None:
    result = CliRunner().invoke(app, ["rollback", "--home", str(home)])
    assert result.output == "database: lifelong-v0001 serves again\n"
    assert "lifelong-v0001" in CliRunner().invoke(app, ["status", "--home", str(home)]).output


def test_discovered_skills_are_asked_about_and_answered(home: Path) -> None:
    runner = CliRunner()
    assert "nothing to ask" in runner.invoke(app, ["questions", "--home", str(home)]).stdout
    with Record(home / "record.sqlite3") as record:
        record.rename_skill("default", "database", "new-0001")
        assert record.lessons.find("default")[0].skill == "new-0001"
    asked = runner.invoke(app, ["questions", "--home", str(home)]).stdout
    assert "new-0001: 4 tasks" in asked
    assert "count the rows" in asked
    assert "lifelong answer new-0001 NAME" in asked
    answered = runner.invoke(app, ["answer", "new-0001", "counting", "--home", str(home)])
    assert "4 tasks filed under counting" in answered.stdout
    with Record(home / "record.sqlite3") as record:
        assert set(record.episodes.skills(tenant="default")) == {"counting"}
        assert record.lessons.find("default")[0].skill == "counting"


def test_status_says_which_tasks_are_accepted(home: Path) -> None:
    runner = CliRunner()
    assert "no task yet" in runner.invoke(app, ["status", "--home", str(home)]).stdout
    with Record(home / "record.sqlite3") as record:
        for number in range(4, 40):
            episode = Episode(
                id=f"e{number}",
                task=Task(id=f"t{number}", goal="count the rows"),
                steps=(Action(text="4"),),
                outcome=Outcome(success=True, judge=Judge.ENVIRONMENT),
                skill="database",
                adapter=record.adapters.route("default", "database"),
            )
            record.episodes.record(episode, np.eye(4, dtype=np.float32)[number % 4])
    assert "accepts     100% of the known tasks" in runner.invoke(app, ["status", "--home", str(home)]).stdout
