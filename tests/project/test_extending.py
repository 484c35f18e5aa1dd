"""docs/extending.md holds what it promises: short files that run as they stand, in their order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text()
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
COMMAND = "from lifelong.interfaces.cli import main; main()"


def run(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_file_is_short_and_every_block_is_run() -> None:
    assert list(FILES) == [
        "my_texts.py",
        "my_labels.py",
        "my_head.py",
        "my_environment.py",
        "my_practice.py",
        "my_gymnasium.py",
        "my_agent.py",
        "my_record.py",
    ]
    assert len(FILES) == TEXT.count("```python")
    longest = {name: sum(bool(line.strip()) for line in text.splitlines()) for name, text in FILES.items()}
    assert {name: lines for name, lines in longest.items() if lines > 15} == {}
    assert [command.split()[:2] for command in COMMANDS] == [["lifelong", "bench"], ["lifelong", "bench"], ["lifelong", "run"]]


def test_the_environment_keeps_the_contract(folder: Path) -> None:
    run(folder, "-c", "from lifelong.checks import check_environment; from my_environment import Doubles; check_environment(Doubles())")


def test_the_exercises_keep_the_contract(folder: Path) -> None:
    run(folder, "-c", "from lifelong.checks import check_environment; from my_practice import Practised; check_environment(Practised())")


def test_the_gymnasium_environment_keeps_the_contract(folder: Path) -> None:
    run(folder, "-c", "from lifelong.checks import check_environment; from my_gymnasium import Car; check_environment(Car(), count=1)")


@pytest.mark.slow
def test_own_texts_are_decided_as_shown(folder: Path) -> None:
    shown = re.search(r"prints\n\n```text\n(.*?)```", TEXT, re.DOTALL)
    assert shown
    assert run(folder, "my_texts.py") == shown[1]


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(900)
def test_own_labelled_texts_are_a_table(folder: Path) -> None:
    run(folder, "my_labels.py")
    table = run(folder, "-c", COMMAND, *shlex.split(COMMANDS[0])[1:])
    assert re.search(r"own texts, 8 classes known +lifelong +accuracy +(1\.00|0\.9)", table)
    assert "own texts, 6 of 8 classes known" in table
    assert "logistic_msp_two_views" in table


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(900)
@pytest.mark.skipif("LIFELONG_DATA" not in os.environ, reason="LIFELONG_DATA names no data directory")
def test_the_head_is_a_row_of_the_table(folder: Path) -> None:
    table = run(folder, "-c", COMMAND, *shlex.split(COMMANDS[1])[1:])
    assert re.search(r"my_head:MyHead +last_accuracy +0\.[89]", table)
    assert "nearest_mean" in table


@pytest.mark.model
def test_the_agent_keeps_its_runs_and_recalls_them(folder: Path) -> None:
    first, second = run(folder, "my_agent.py").splitlines()
    assert first.split()[1:] == ["False", "verifier", "4"]
    control, recalled, judge, steps = second.split()
    assert (recalled, judge) == (str(control == "False"), "verifier")
    assert int(steps) == 4 + (control == "False")


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(900)
def test_the_environment_runs_and_its_record_is_a_table(folder: Path) -> None:
    run(folder, "-c", COMMAND, *shlex.split(COMMANDS[2])[1:])
    assert (folder / "runs" / "latest" / "report.html").is_file()
    assert re.search(r"doubles-v1 +\d+ +0|doubles-v1 +\d+ +1", run(folder, "my_record.py"))
