"""Recalled text beside a user's message: data in that turn, and no other byte changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lifelong.interfaces.gateway.protocols.json_spans import exchange, read_object
from lifelong.interfaces.gateway.protocols.memory_block import insertions


def inserted(messages: list[Any], blocks: dict[int, str]) -> list[Any]:
    text = json.dumps({"model": "m", "messages": messages, "seed": 1})
    read = read_object(text)
    changed = exchange(text, insertions(read, blocks))
    assert json.loads(changed) | {"messages": 0} == read.values | {"messages": 0}
    result: list[Any] = json.loads(changed)["messages"]
    return result


def test_a_text_is_continued_and_a_list_gets_one_more_part() -> None:
    parts = [{"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "user", "content": parts}]
    assert inserted(messages, {1: 'REMEMBERED "é"\n', 2: "MORE"}) == [
        messages[0],
        {"role": "user", "content": 'a\nREMEMBERED "é"\n'},
        {"role": "user", "content": [*parts, {"type": "text", "text": "MORE"}]},
    ]


def test_parts_keep_the_kind_of_their_protocol_and_an_empty_list_gets_its_first() -> None:
    [one] = inserted([{"role": "user", "content": [{"type": "input_text", "text": "a"}]}], {0: "X"})
    assert one["content"][1] == {"type": "input_text", "text": "X"}
    assert inserted([{"role": "user", "content": []}], {0: "X"}) == [{"role": "user", "content": [{"type": "text", "text": "X"}]}]


@pytest.mark.parametrize(
    "message", [{"role": "system", "content": "s"}, {"role": "assistant", "content": "s"}, {"role": "user"}, "text", 7]
)
def test_nothing_goes_where_no_user_speaks(message: Any) -> None:
    assert inserted([message], {0: "X", 5: "Y"}) == [message]


def test_nothing_to_insert_changes_nothing() -> None:
    read = read_object('{"messages": [{"role": "user", "content": "a"}]}')
    assert insertions(read, {}) == []
    assert insertions(read, {0: ""}) == []
    assert insertions(read_object('{"messages": "none"}'), {1: "X"}) == []
    assert insertions(read_object('{"messages": 7}'), {0: "X"}) == []


def test_a_conversation_that_is_one_text_is_continued() -> None:
    read = read_object('{"input": "none", "z": 1}')
    changed = exchange(read.text, insertions(read, {0: "X"}, "input"))
    assert json.loads(changed) == {"input": "none\nX", "z": 1}
