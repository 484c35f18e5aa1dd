"""Errors as a user meets them: one clear line, and nothing that a terminal would obey."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from processes.command_line import run_command

from lifelong.core import Episode, Lesson, Observation, Outcome, Task
from lifelong.memory import Record

COMMAND = [sys.executable, "-m", "lifelong"]
EVIL = "\x1b]0;owned\x07\x1b[2J\x1b]8;;http://evil\x1b\\ \u202e reversed \x9b31m"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def lifelong(*words: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return run_command(*words, folder=folder, TMPDIR=str(folder), **environ)


def in_a_fresh_process(*words: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The same, of an interpreter that starts under this locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFELONG_")}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, encoding="utf-8", cwd=folder, env={**kept, "TMPDIR": str(folder), **environ}, check=False
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    with Record(folder / "record.sqlite3") as record:
        episode = Episode(
            id="e1",
            task=Task(id="t", goal=EVIL, instructions="be brief"),
            steps=(Observation(text=EVIL + "\nsecond line"),),
            outcome=Outcome(success=None, reason=EVIL),
            skill="new-0001",
            adapter=EVIL,
        )
        record.episodes.record(episode, [1.0, 0.0])  # type: ignore[arg-type]
        record.lessons.record(Lesson(id="l", tenant="default", skill="new-0001", text=EVIL, episodes=("e1",), author=EVIL))
    return folder


@pytest.mark.parametrize("words", [["status"], ["lessons"], ["questions"], ["show", "e1"], ["show", "e1", "--json"], ["status", "--json"]])
def test_stored_text_cannot_move_the_cursor(home: Path, tmp_path: Path, words: list[str]) -> None:
    result = lifelong(*words, "--home", str(home), folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert OBEYED.search(result.stdout.replace("\n", "")) is None
    assert "new-0001" in result.stdout


@pytest.mark.parametrize("words", [["lessons"], ["questions"], ["show", "e1"], ["status"], ["--help"]])
def test_a_console_that_cannot_print_a_character_ends_nothing(home: Path, tmp_path: Path, words: list[str]) -> None:
    run = in_a_fresh_process if words in (["lessons"], ["--help"]) else lifelong
    with Record(home / "record.sqlite3") as record:
        lesson = Lesson(id="m", tenant="default", skill="new-0001", text="naïve 你好", episodes=("e1",))
        record.lessons.record(lesson)
    more = ["--home", str(home)] if words != ["--help"] else []
    result = run(*words, *more, folder=tmp_path, PYTHONIOENCODING="ascii", LANG="C", LC_ALL="C", PYTHONUTF8="0")
    assert result.returncode == 0, result.stderr
    if words == ["lessons"]:
        assert "na\\xefve" in result.stdout


def test_an_argument_is_read_as_utf8_whatever_the_locale(home: Path, tmp_path: Path) -> None:
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    engine = Path(__file__).parents[1] / "plugin_package" / "flip" / "engine.py"
    (tmp_path / "my_engine.py").write_text(engine.read_text())
    parts = ["--set", "memory.encoder=hashed", "--set", "model.engine=my_engine:FlipEngine"]
    words = ["forget", "--tenant", "Zoë", *parts, "--home", str(home)]
    result = in_a_fresh_process(*words, folder=tmp_path, **environ)
    assert result.returncode == 2
    assert "nothing recorded matches tenant=Zo\\xeb" in result.stderr
    spoiled = in_a_fresh_process("forget", "--tenant", "Zo\udceb", "--home", str(home), folder=tmp_path, **environ)
    assert "not UTF-8" in spoiled.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serve", "--home", "file"], "file is a file"),
        (["serve", "--home", "file/home"], "cannot be made"),
        (["serve", "--home", "/proc/nowhere"], "cannot be made"),
        (["run", "--out", "file", "--set", "memory.encoder=hashed"], "file"),
        (["run", "--out", "/proc/nowhere"], "/proc/nowhere"),
        (["status", "--home", "file"], "no record"),
        (["sleep", "--home", "nowhere"], "no record"),
        (["forget", "--tenant", "ann", "--home", "nowhere"], "no record"),
        (["show", "e1", "--home", "nowhere"], "no record"),
        (["answer", "new-0001", "x", "--home", "nowhere"], "no record"),
        (["questions", "--home", "nowhere"], "no record"),
        (["status", "--set", "sleep.every=inf"], "sleep.every"),
        (["status", "--set", "sleep.every=" + "9" * 400], "sleep.every"),
        (["status", "--set", "wake.control_share=nan"], "wake.control_share"),
    ],
)
def test_what_cannot_be_is_one_line_and_creates_nothing(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = lifelong(*words, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("lifelong: ")
    assert result.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_settings_file_with_infinity_or_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes("\ufeff[sleep]\nevery = 5\n".encode())
    assert "no record" in lifelong("status", "--config", "mine.toml", folder=tmp_path).stderr
    (tmp_path / "mine.toml").write_text("[sleep]\nevery = inf\n")
    result = lifelong("status", "--config", "mine.toml", folder=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "sleep.every is inf" in result.stderr


@pytest.mark.parametrize(
    "words", [["status", "--tenant", " "], ["status", "--tenant", ""], ["forget", "--tenant", "\u200b"], ["lessons", "--tenant", "x" * 300]]
)
def test_blank_tenants_are_refused(words: list[str], tmp_path: Path) -> None:
    result = lifelong(*words, folder=tmp_path)
    assert result.returncode == 2
    assert "tenant" in result.stderr
    assert "Traceback" not in result.stderr


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    spoiled = os.fsdecode(b"\xff")
    for words in (["lessons", "--skill", spoiled], ["show", spoiled], ["forget", "--episode", spoiled], ["status", "--tenant", spoiled]):
        result = lifelong(*words, folder=tmp_path)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr


def test_an_unexpected_error_keeps_its_traceback_in_a_file(tmp_path: Path) -> None:
    script = (
        "from lifelong.interfaces import cli\nfrom lifelong.interfaces.commands import looking\n"
        "def broken(home): raise KeyError('http://me:secret@host')\nlooking.open_record = broken\ncli.main()"
    )
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    run = [sys.executable, "-c", script, "lessons"]
    result = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=environ, check=False)
    assert result.returncode == 70
    assert result.stderr.count("\n") == 1
    [kept] = tmp_path.glob("lifelong-error-*.log")
    assert str(kept) in result.stderr
    assert "Traceback" in kept.read_text()
    assert "secret" not in kept.read_text() + result.stderr
    assert kept.stat().st_mode & 0o077 == 0
    shown = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env={**environ, "LIFELONG_DEBUG": "1"}, check=False)
    assert "Traceback" in shown.stderr


def test_the_version_and_the_module_are_the_command(tmp_path: Path) -> None:
    import lifelong as package

    assert lifelong("--version", folder=tmp_path).stdout == f"lifelong {package.__version__}\n"
    assert "Usage: lifelong" in lifelong("--help", folder=tmp_path).stdout


def test_a_settings_file_of_the_folder_says_what_it_decides(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "lifelong.toml"
    file.write_text(f'home = "{home}"\n[model]\nurl = "http://elsewhere.example"\nengine = "vllm"\n[wake]\nmax_attempts = 3\n')
    result = lifelong("lessons", folder=tmp_path)
    assert result.returncode == 0
    assert f"settings from {file}" in result.stderr
    assert "model.url (where prompts are sent)" in result.stderr
    assert "max_attempts" not in result.stderr
    file.chmod(0o666)
    result = lifelong("lessons", folder=tmp_path)
    assert "can be written by every user and is passed over" in result.stderr
    assert "no record" in result.stderr
    assert "settings from" not in lifelong("lessons", "--config", str(file), folder=tmp_path).stderr


def test_a_settings_file_of_another_user_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lifelong.interfaces.commands import options

    (tmp_path / "lifelong.toml").write_text("[wake]\nmax_attempts = 3\n")
    monkeypatch.chdir(tmp_path)
    mine = options.DEFAULT_FILE.stat().st_uid
    monkeypatch.setattr(options.os, "geteuid", lambda: mine + 1)
    expected = 2 if mine else 3
    assert options.read_settings(None, None, None).wake.max_attempts == expected
    assert ("belongs to another user" in capsys.readouterr().err) is bool(mine)


def test_an_old_setting_name_is_one_plain_line(home: Path, tmp_path: Path) -> None:
    result = lifelong("lessons", "--home", str(home), "--set", "wake.tries=3", folder=tmp_path)
    assert result.returncode == 0
    assert result.stderr == "lifelong: the setting wake.tries is now called wake.max_attempts; use the new name\n"
