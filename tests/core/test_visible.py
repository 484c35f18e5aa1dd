"""What of a text can be seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core.visible import BLANK, can_be_seen, visible_text


@pytest.mark.parametrize("text", ["", " \t\n", "\u200b\u2060\ufeff", "\x00\x1b", "\u0301", *sorted(BLANK), "\u3164 \u2800"])
def test_nothing_is_seen_of_blanks(text: str) -> None:
    assert not can_be_seen(text)
    assert visible_text(text) == ""


@pytest.mark.parametrize("text", ["a", "7", "?", "€", "你", "🙂", "\u200ba\u200b"])
def test_letters_numbers_marks_and_symbols_are_seen(text: str) -> None:
    assert can_be_seen(text)


@given(st.text(), st.text(), st.characters(categories=["Lu", "Nd"]))
def test_blanks_around_hide_nothing(before: str, after: str, sign: str) -> None:
    assert can_be_seen(before + sign + after)
    assert sign in visible_text(before + sign + after)


@given(st.text())
def test_showing_twice_changes_nothing(text: str) -> None:
    assert visible_text(visible_text(text)) == visible_text(text)
