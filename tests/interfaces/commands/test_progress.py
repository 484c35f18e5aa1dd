"""A command whose output is no terminal still says how far it is."""

from __future__ import annotations

import io
import sys
import time

import pytest

from lifelong.interfaces.commands.progress import ProgressLines, _lines, progress_bars


def without_times(text: str) -> list[str]:
    return [line.rpartition(" (")[0] for line in text.splitlines()]


def test_a_phase_is_a_line_at_its_beginning_and_one_at_its_end() -> None:
    stream = io.StringIO()
    lines = ProgressLines(stream)
    for phase in ("database: awake", "database: reflect"):
        for done in (0, 16, 32, 48, 48):
            lines.tell(phase, done, 48)
    assert without_times(stream.getvalue()) == [
        "database: awake 0/48",
        "database: awake 48/48",
        "database: reflect 0/48",
        "database: reflect 48/48",
    ]


def test_a_phase_that_goes_on_is_repeated_with_its_count_and_one_that_ended_is_not() -> None:
    stream = io.StringIO()
    lines = ProgressLines(stream)
    lines.repeat()
    lines.tell("gate", 0, 2)
    lines.tell("gate", 1, 2)
    lines.repeat()
    lines.repeat()
    lines.tell("gate", 2, 2)
    lines.repeat()
    assert without_times(stream.getvalue()) == ["gate 0/2", "gate 1/2", "gate 1/2", "gate 2/2"]


def test_the_lines_come_without_any_call_and_stop_at_the_end() -> None:
    stream = io.StringIO()
    with _lines(stream, 0.01) as tell:
        tell("consolidate", 0, 3)
        deadline = time.monotonic() + 5
        while stream.getvalue().count("\n") < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
    written = stream.getvalue()
    assert written.count("consolidate 0/3") >= 3
    time.sleep(0.05)
    assert stream.getvalue() == written


def test_a_skill_whose_name_is_markup_or_an_escape_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bars() as tell:
        tell("[/nothing] \x1b]0;owned\x07", 1, 2)
        tell("[/nothing] \x1b]0;owned\x07", 2, 2)
    text = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "[/nothing]" in text
    assert "\x1b]0" not in text
