"""`lifelong skills`: list, show, rename, merge, split, from the command line on a record alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scripted import open_scripted
from typer.testing import CliRunner

from lifelong.core import MalformedTask, NothingFound, Task
from lifelong.interfaces.cli import app

FLIGHTS = [f"Please book a flight to {place}" for place in ("Rome", "Oslo", "Lima", "Cairo")]
RECIPES = [f"Write down the recipe of a {dish}" for dish in ("soup", "cake", "bread")]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_scripted(tmp_path) as learner:
        for skill, goals in (("travel", FLIGHTS), ("cooking", RECIPES)):
            for goal in goals:
                learner.wake(Task(id=goal, goal=goal, skill=skill, environment="chat"))
    return tmp_path


def run(home: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["skills", *words, "--home", str(home)], catch_exceptions=True)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_skills_are_listed_with_their_words_and_shown_at_centre_and_edge(home: Path) -> None:
    listed = run(home, "list")
    assert "travel  4 tasks" in listed
    assert "flight" in listed
    assert [one["size"] for one in json.loads(run(home, "list", "--json"))] == [3, 4]
    shown = run(home, "show", "travel")
    assert shown.count("at the centre") == 3
    assert shown.count("at the edge") == 1


def test_rename_merge_and_split_say_what_moved(home: Path) -> None:
    assert "travel is called trips; 4 tasks moved" in run(home, "rename", "travel", "trips")
    assert "3 tasks moved to trips" in run(home, "merge", "cooking", "trips")
    split = run(home, "split", "trips")
    assert "3 tasks became new-0001" in split
    assert "lifelong answer new-0001 NAME" in split
    assert "(discovered; name it)" in run(home, "list")


def test_what_cannot_be_done_is_said(home: Path) -> None:
    with pytest.raises(NothingFound, match="skills list"):
        run(home, "show", "nothing")
    with pytest.raises(MalformedTask, match="skills merge travel cooking"):
        run(home, "rename", "travel", "cooking")
    done = CliRunner().invoke(app, ["skills", "merge", "travel", "--home", str(home)])
    assert done.exit_code == 2
    with pytest.raises(NothingFound):
        run(home / "empty", "list")
