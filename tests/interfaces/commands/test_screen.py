"""Frames are drawn on a terminal alone, over each other, and hold the scene."""

from __future__ import annotations

import io

import pytest

from lifelong.envs import ObjectNavGridEnvironment
from lifelong.interfaces.commands.screen import Screen, navigation_screen


def test_frames_overwrite_each_other() -> None:
    environment = ObjectNavGridEnvironment()
    [task] = environment.tasks("validation", 1)
    environment.reset(options={"task": task})
    stream = io.StringIO()
    screen = Screen(stream, seconds=0)
    screen.tell("stage 1: awake", 0, 4)
    screen.watch(environment, "")
    environment.step("left")
    screen.watch(environment, "left")
    drawn = stream.getvalue()
    first, second, third = drawn.split("\x1b[J")
    assert first.startswith("stage 1: awake 0/4\n")
    assert first.endswith("\x1b[1A")
    assert second.startswith(f"stage 1: awake 0/4\nfind the {environment.wanted}\n#########")
    assert second.endswith(f"did: nothing yet\n\x1b[{second.count(chr(10))}A")
    assert third.endswith("did: left\n")


def test_nothing_is_drawn_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with navigation_screen() as (tell, watch):
        tell("stage 1: awake", 0, 1)
        assert watch is None
    assert "\x1b" not in capsys.readouterr().out


def test_a_terminal_gets_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    with navigation_screen() as (tell, watch):
        tell("stage 1: awake", 0, 1)
        assert watch is not None
    assert terminal.getvalue() == "stage 1: awake 0/1\n"
