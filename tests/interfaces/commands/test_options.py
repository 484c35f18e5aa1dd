"""Flags that commands share."""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lifelong.core import NothingFound, Settings, SettingsError
from lifelong.interfaces.commands.options import (
    existing_home,
    import_from_here,
    read_settings,
    required_tenant,
    takes_settings,
    tenant_of,
    text_of,
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with no setting from outside, and with the path of imports as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [one for one in os.environ if one.startswith("LIFELONG_")]:
        monkeypatch.delenv(name)


def test_text_is_utf8_whatever_the_locale() -> None:
    assert text_of("Zo\udcc3\udcab") == "Zoë"
    assert (text_of("Zoë"), text_of(""), text_of(None)) == ("Zoë", "", None)
    with pytest.raises(typer.BadParameter, match="not UTF-8"):
        text_of("Zo\udcff")


def test_a_tenant_has_one_spelling_and_must_be_named_where_one_is_needed() -> None:
    assert tenant_of("Zoe\u0308") == "Zoë"
    with pytest.raises(typer.BadParameter):
        tenant_of("line\nbreak")
    with pytest.raises(typer.BadParameter, match="leave the flag out for the tenant 'default'"):
        required_tenant("")


def test_flags_are_read_and_what_is_no_assignment_is_refused() -> None:
    settings = read_settings(None, Path("h"), [" sleep.rank = 4 "], seed=3)
    assert (settings.sleep.rank, settings.home, settings.seed) == (4, Path("h"), 3)
    with pytest.raises(SettingsError, match="must read NAME=VALUE"):
        read_settings(None, None, ["sleep.rank"])


def test_a_file_found_here_is_announced_with_what_it_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lifelong.toml").write_text('[model]\nengine = "openai"\nurl = "http://example.org/v1"\n')
    assert read_settings(None, None, None).model.url == "http://example.org/v1"
    said = capsys.readouterr().err
    assert "model.url (where prompts are sent)" in said
    assert "model.engine (which code runs the model)" in said
    read_settings(tmp_path / "lifelong.toml", None, None)
    assert capsys.readouterr().err == "", "a file that was named needs no announcement"


def test_a_file_that_everybody_can_write_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lifelong.toml"
    file.write_text("[sleep]\nrank = 4\n")
    file.chmod(0o666)
    assert read_settings(None, None, None).sleep.rank != 4
    assert "can be written by every user and is passed over" in capsys.readouterr().err


def test_an_old_name_is_said_on_standard_error_once(capsys: pytest.CaptureFixture[str]) -> None:
    read_settings(None, None, ["wake.tries=2", "sleep.fresh=true"])
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "wake.tries is now called wake.max_attempts" in said[0]


def test_only_a_class_that_is_named_on_the_command_line_opens_this_folder(tmp_path: Path) -> None:
    import_from_here("database,graph")
    assert str(tmp_path) not in sys.path
    import_from_here("mine:Class")
    import_from_here("mine:Class")
    assert sys.path.count(str(tmp_path)) == 1


def test_no_command_makes_a_home_by_looking(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="make one with `lifelong run`"):
        existing_home(read_settings(None, tmp_path / "none", None))
    assert not (tmp_path / "none").exists()


def test_a_command_that_takes_settings_has_the_flags_that_they_are_read_from(tmp_path: Path) -> None:
    taken: list[object] = []

    @takes_settings
    def command(settings: Settings, most: int = 3) -> None:
        """Help."""
        taken.append((settings.home, settings.sleep.rank, most))

    assert list(inspect.signature(command).parameters) == ["most", "config", "home", "set_"]
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["--home", str(tmp_path), "--set", "sleep.rank=8", "--most", "5"])
    assert result.exit_code == 0, result.output
    assert taken == [(tmp_path, 8, 5)]
