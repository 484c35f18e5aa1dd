"""The text of a reply while its tokens come: the same however they are handed over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.serving.decoding.text import ReplyText


def decode(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode(errors="replace")


def read(raw: bytes, sizes: Sequence[int] = (), *, stop: Sequence[str] = (), calls: bool = False) -> tuple[ReplyText, list[str]]:
    """Hand `raw` over in parts of these sizes, the rest at once."""
    text = ReplyText(decode, stop=stop, calls=calls)
    pieces, start = [], 0
    for size in (*sizes, len(raw)):
        pieces.append(text.add(list(raw[start : start + size])))
        start += size
    return text, [*pieces, text.end()]


TEXTS = st.text(alphabet="ab<tol_ca>\n é🙂", max_size=40)


@given(
    TEXTS.map(str.encode) | st.binary(max_size=20), st.lists(st.integers(1, 4), max_size=30), st.sampled_from([(), ("ab",), ("a<", "\n")])
)
def test_pieces_are_the_text_however_the_tokens_come(raw: bytes, sizes: list[int], stop: tuple[str, ...]) -> None:
    for calls in (False, True):
        at_once, _ = read(raw, stop=stop, calls=calls)
        text, pieces = read(raw, sizes, stop=stop, calls=calls)
        assert "".join(pieces) == text.text == at_once.text
        assert (text.called, text.stopped) == (at_once.called, at_once.stopped)
        assert not any(mark in text.text for mark in stop)


@given(TEXTS, st.lists(st.integers(1, 4), max_size=30))
def test_without_marks_nothing_is_lost(said: str, sizes: list[int]) -> None:
    assert read(said.encode(), sizes)[0].text == said


@pytest.mark.parametrize(
    ("raw", "text", "called", "stopped"),
    [
        ("one STOP two", "one", "", True),
        ("one STO", "one STO", "", False),
        (" said \n<tool_call>\n{} STOP", "said", "<tool_call>\n{} STOP", False),
        ("said <tool_cal", "said <tool_cal", "", False),
        ("said STOP <tool_call>", "said", "", True),
    ],
)
def test_a_stop_text_ends_it_and_calls_are_kept_apart(raw: str, text: str, called: str, stopped: bool) -> None:
    reply, _ = read(raw.encode(), [1] * len(raw), stop=["STOP"], calls=True)
    assert (reply.text, reply.called, reply.stopped) == (text, called, stopped)


def test_what_may_begin_a_mark_waits_and_all_else_comes_at_once() -> None:
    text = ReplyText(decode, stop=["STOP"])
    assert [text.add(list(part)) for part in (b"ab", b"c S", b"TO", b"x", "é".encode()[:1], "é".encode()[1:])] == [
        "ab",
        "c ",
        "",
        "STOx",
        "",
        "é",
    ]
