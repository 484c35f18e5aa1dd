"""A table in a pipe keeps every word and every row on its line."""

from __future__ import annotations

import io
import sys

import pytest

from lifelong.metrics.tables import TextTable, is_terminal, print_tables

TABLE = TextTable(
    title="What was\nmeasured",
    header=("method", "metric", "value"),
    rows=(("a_method_with_a_name_longer_than_any_terminal_is_wide_" * 2, "accuracy", "0.5"), ("b\x1b[2J\nc", "auroc", "1,234.25")),
    left=(0, 1),
)


def test_a_row_is_a_line_and_columns_are_aligned() -> None:
    title, header, *rows = TABLE.as_text().splitlines()
    assert title == "# What was measured"
    assert [len(rows), *(len(row) for row in rows)] == [2, len(header), len(header)]
    assert rows[0].split() == list(TABLE.rows[0])
    assert rows[1].endswith("1,234.25")
    assert "\x1b" not in rows[1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "drawn"), [(io.StringIO, False), (Terminal, True)])
def test_only_a_terminal_gets_a_drawing(stream: type[io.StringIO], drawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream())
    monkeypatch.setenv("COLUMNS", "80")
    assert is_terminal() is drawn
    print_tables([TABLE, TABLE], ["a note"])
    text = sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert ("─" in text) is drawn
    assert (TABLE.as_text() in text) is not drawn
    assert text.splitlines()[-1].strip() == "a note"


def test_a_terminal_obeys_nothing_that_a_cell_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    print_tables([TABLE], ["a note\x1b]0;owned\x07"])
    text = sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[2J" not in text
    assert "\x1b]0" not in text
    assert "\\x1b]0;owned" in text
