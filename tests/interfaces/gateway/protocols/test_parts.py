"""Contents of messages: texts are joined, other parts stay, and the last turn must hold something."""

from __future__ import annotations

from typing import Any

import pytest

from lifelong.core import MalformedTask
from lifelong.interfaces.gateway.protocols.parts import check_last, joined, other_parts

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def text(words: str, kind: str = "text") -> dict[str, Any]:
    return {"type": kind, "text": words}


def test_texts_of_any_protocol_are_joined_and_other_parts_keep_their_list() -> None:
    assert joined([text("a"), text("b", "input_text"), text("c", "output_text")]) == "a\nb\nc"
    assert joined([text("a"), IMAGE]) == [text("a"), IMAGE]
    assert (joined(None), joined(""), joined("a")) == ("", "", "a")


def test_types_of_other_parts() -> None:
    assert other_parts({"role": "user", "content": [text("a"), IMAGE, {"type": "text"}]}) == {"image_url", "text"}
    assert other_parts({"role": "user", "content": "a"}) == set()


@pytest.mark.parametrize("last", [{"role": "user", "content": "a"}, {"role": "user", "content": [IMAGE]}, {"role": "tool", "content": ""}])
def test_a_user_with_something_or_a_tool_may_be_last(last: Any) -> None:
    check_last([{"role": "assistant", "content": "x"}, last])
    check_last([last, {"role": "system", "content": "a reminder"}])


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": " \u200b"}],
        [{"role": "user", "content": []}],
        [{"role": "assistant", "content": "a"}],
        [{"role": "system", "content": "a"}],
    ],
)
def test_a_conversation_without_a_request_is_refused(messages: Any) -> None:
    with pytest.raises(MalformedTask, match="the last of messages must be a user's"):
        check_last(messages)
