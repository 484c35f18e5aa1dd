"""Dataclasses become what `asdict` makes of them, without copies."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core.plain import plain, standard_json, valid_json


@dataclass(frozen=True)
class Inner:
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    one: Inner
    many: list[Inner]
    named: dict[str, Inner]
    text: str


def test_it_is_what_the_library_makes() -> None:
    value = Outer(Inner((1, 2)), [Inner(())], {"a": Inner((3,))}, "text")
    assert plain(value) == asdict(value)
    assert plain((value, 1, None)) == (asdict(value), 1, None)


def test_nothing_is_copied_but_what_holds_dataclasses() -> None:
    text = "x" * 1000
    assert plain(Outer(Inner(()), [], {}, text))["text"] is text


Values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(Values)
def test_what_is_written_is_read_back_and_is_json_for_every_reader(value: object) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(standard_json(value), parse_constant=refuse) == value
    assert json.loads(valid_json(json.dumps(value)), parse_constant=refuse) == value


def test_what_is_no_number_is_null() -> None:
    assert standard_json([math.nan, -math.inf, "Infinity"]) == '[null, -2e308, "Infinity"]'


@pytest.mark.parametrize("text", ["", "{", '{"a": Infinity', '{"a": "NaN"}', "[1]"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert valid_json(text) == text
