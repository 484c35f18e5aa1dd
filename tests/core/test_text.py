"""What a terminal would obey is shown as an escape."""

from __future__ import annotations

import pytest

from lifelong.core import one_line, printable, spelling


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;owned\x07",
        "\x1b[2J",
        "\x1b]8;;http://evil\x1b\\link",
        "\x9b31m",
        "a\u202eb",
        "a\u2066b",
        "\x7f",
        "a\rb",
        "\u2028",
        "\ud800",
        "\u200b",
    ],
)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert "\\x" in shown or "\\u" in shown or "\\r" in shown


@pytest.mark.parametrize("text", ["", "plain", "naïve 你好 🙂", "نمی\u200cخواهم", "👩\u200d🔬", "C:\\x1b"])
def test_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_line_feeds_stay_where_they_are_asked_for() -> None:
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_one_line_is_one_short_line() -> None:
    assert one_line("a\n\n b\x1b[2J", 50) == "a b\\x1b[2J"
    assert one_line("word " * 100, 20) == "word word word word…"


def test_names_that_differ_in_case_or_spaces_share_their_spelling() -> None:
    assert {spelling(name) for name in ("refund", " Refund", "REFUND ", "refund\n")} == {"refund"}
    assert spelling("re fund") != spelling("refund")
    assert spelling("Straße") == spelling("STRASSE")
