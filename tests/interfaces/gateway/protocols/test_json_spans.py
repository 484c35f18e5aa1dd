"""Where the members of a JSON object stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.interfaces.gateway.protocols.json_spans import elements, exchange, read_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)


@given(OBJECTS, st.sampled_from([None, 1]), st.booleans())
def test_every_member_is_found_where_it_is_written(value: dict[str, Any], indent: int | None, ascii: bool) -> None:
    text = "\n " + json.dumps(value, indent=indent, ensure_ascii=ascii) + "\t"
    read = read_object(text)
    assert read.values == value
    for name, span in read.members:
        assert json.loads(text[span.start : span.end]) == span.value == value[name]


@given(OBJECTS, st.lists(VALUES, max_size=4))
def test_elements_of_an_array_are_found_too(value: dict[str, Any], items: list[Any]) -> None:
    text = json.dumps({**value, "items": items}, indent=1)
    span = read_object(text).last("items")
    assert span is not None
    found = list(elements(text, span.start))
    assert [one.value for one in found] == items
    assert [json.loads(text[one.start : one.end]) for one in found] == items


@given(OBJECTS, VALUES)
def test_one_member_is_exchanged_and_all_else_stays(value: dict[str, Any], new: Any) -> None:
    text = json.dumps({"first": 1, **value, "model": "old", "last": [2]})
    span = read_object(text).last("model")
    assert span is not None
    changed = exchange(text, [(span.start, span.end, json.dumps(new))])
    assert json.loads(changed) == {**json.loads(text), "model": new}
    assert changed[: span.start] == text[: span.start]
    assert changed.endswith(text[span.end :])


def test_of_two_members_of_one_name_the_last_counts() -> None:
    read = read_object('{"a": 1, "a": 2}')
    assert len(read.members) == 2
    assert read.values == {"a": 2} == json.loads(read.text)
    last = read.last("a")
    assert last is not None
    assert (last.value, read.last("b")) == (2, None)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"a": NaN}', '{"a": Infinity}', '{"a" 1}', '{"a": 1,}', "{a: 1}", '{"a": 1} x', '{"a": 1', '{"a": 1 "b": 2}'],
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the decoder has words of its own)
        read_object(text)
