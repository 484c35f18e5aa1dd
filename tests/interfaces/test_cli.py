"""The command line as a user meets it: a process, its words and its exit status."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes.command_line import run_command
from typer.testing import CliRunner

from lifelong.interfaces.cli import app

VERBS = {
    "run",
    "import",
    "memory",
    "sessions",
    "show",
    "skills",
    "serve",
    "sleep",
    "forget",
    "rollback",
    "status",
    "lessons",
    "questions",
    "answer",
    "models",
    "serve-model",
    "bench",
}


def test_help_names_every_verb(tmp_path: Path) -> None:
    result = run_command("--help", folder=tmp_path)
    assert result.returncode == 0
    commands = result.stdout.partition("Commands:")[2]
    assert {line.split()[0] for line in commands.splitlines() if line.strip()} == VERBS
    assert "..." not in commands


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--set", "sleep.rnak=8"], "sleep.rnak"),
        (["status", "--set", "sleep.rank"], "NAME=VALUE"),
        (["status", "--set", "sleep.rank=0"], "sleep.rank is 0"),
        (["status", "--config", "missing.toml"], "missing.toml"),
        (["status"], "no record"),
        (["lessons", "--home", "elsewhere"], "elsewhere"),
        (["rollback"], "no record"),
        (["bench", "nonsense"], "nonsense"),
    ],
)
def test_an_error_is_one_line_and_status_2(words: list[str], said: str, tmp_path: Path) -> None:
    result = run_command(*words, folder=tmp_path)
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stderr.startswith("lifelong: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["forget"], ["bench"], ["run", "--corrections", "-1"], ["nonsense"], ["serve", "--port", "0"]])
def test_wrong_usage_is_status_2(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_a_settings_file_in_the_folder_is_read_and_its_mistake_refused(tmp_path: Path) -> None:
    (tmp_path / "lifelong.toml").write_text("[wake]\nmax_attempts = 99\n")
    result = run_command("status", folder=tmp_path)
    assert result.returncode == 2
    assert "lifelong.toml: wake.max_attempts is 99" in result.stderr


def test_an_unknown_variable_is_refused(tmp_path: Path) -> None:
    result = run_command("status", folder=tmp_path, LIFELONG_SLEEP_RNAK="8")
    assert result.returncode == 2
    assert "LIFELONG_SLEEP_RNAK" in result.stderr


def test_looking_creates_nothing(tmp_path: Path) -> None:
    run_command("status", folder=tmp_path)
    run_command("lessons", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bench_lists_what_each_suite_shows_and_needs(tmp_path: Path) -> None:
    result = run_command("bench", "--list", folder=tmp_path)
    assert result.returncode == 0
    suites = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert {"loop", "memory"} <= set(suites)
    assert result.stdout.count("\n  shows ") == result.stdout.count("\n  needs ") == len(suites)


SLOW_LOOK = "from lifelong.interfaces.commands import looking as module\nmodule.open_record = wait"
SLOW_RUN = "import lifelong.runs.job as module\nmodule.run_job = wait"


@pytest.mark.parametrize(("slow", "command", "said"), [(SLOW_LOOK, "lessons", ""), (SLOW_RUN, "run", "--resume")])
def test_interrupt_ends_with_130_and_says_how_to_go_on(slow: str, command: str, said: str, tmp_path: Path) -> None:
    wait = "import time\nwait = lambda *_, **__: (print('ready', flush=True), time.sleep(30))\n"
    script = f"{wait}{slow}\nfrom lifelong.interfaces.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert said in errors
