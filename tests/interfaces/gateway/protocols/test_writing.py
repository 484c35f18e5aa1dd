"""Answers that are whole before they are sent, and arguments of calls that may be no JSON."""

from __future__ import annotations

import pytest

from lifelong.core import Reply
from lifelong.interfaces.gateway.protocols.writing import PIECE, in_pieces, json_object, named_event


class Listing:
    """A writer whose events are its arguments."""

    def begin(self) -> str:
        return "begin\n\n"

    def text(self, piece: str) -> str:
        return f"{piece}\n\n"

    def end(self, reply: Reply) -> str:
        return f"end {reply.id}\n\nlast\n\n"


def test_a_whole_answer_is_cut_into_pieces_that_are_its_text() -> None:
    text = "word " * 20
    first, *pieces, end, last = (
        event.removesuffix("\n\n") for event in in_pieces(Listing(), Reply(id="r", text=text, model="m", created=1))
    )
    assert (first, "".join(pieces), end, last) == ("begin", text, "end r", "last")
    assert max(map(len, pieces)) == PIECE
    assert len(list(in_pieces(Listing(), Reply(id="r", text="", model="m", created=1)))) == 3


@pytest.mark.parametrize(
    ("text", "value"), [("", {}), ('{"a": 1}', {"a": 1}), ("[1]", {"arguments": "[1]"}), ("{", {"arguments": "{"}), ("[" * 9999, None)]
)
def test_arguments_are_an_object_whatever_was_written(text: str, value: dict[str, object] | None) -> None:
    assert json_object(text) == ({"arguments": text} if value is None else value)


def test_an_event_has_its_name_and_one_line_of_data() -> None:
    assert named_event("x", {"a": "é\n"}) == 'event: x\ndata: {"a": "é\\n"}\n\n'
