"""Values drawn from JSON Schemas."""

from __future__ import annotations

import json
import random
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import tool_specification
from lifelong.envs.tools.values import NoValue, draw_value, examples_in, is_known, of_format
from lifelong.serving import ChatRequest, grammar_accepts, grammar_of


def schemas(depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    number = st.integers(-50, 50)
    plain = st.one_of(
        st.just({"type": "string"}),
        st.just({"type": "boolean"}),
        st.sampled_from(["date", "time", "date-time", "email", "uuid", "ipv4"]).map(lambda format: {"type": "string", "format": format}),
        st.lists(st.sampled_from(["a", "b b", 'c"']), min_size=1, unique=True).map(lambda values: {"type": "string", "enum": values}),
        st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, number, st.integers(0, 30)),
        st.builds(lambda low, more: {"type": "number", "minimum": low, "maximum": low + more}, number, st.integers(0, 30)),
        st.just({"const": 7}),
        st.just({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]}),
    )
    if not depth:
        return plain
    inner = schemas(depth - 1)
    arrays = inner.map(lambda items: {"type": "array", "items": items, "minItems": 1, "maxItems": 3})
    names = st.sampled_from(["city", "count", "deliveryDate", "x"])
    objects = st.dictionaries(names, inner, max_size=3).map(
        lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)[:1], "additionalProperties": False}
    )
    return plain | arrays | objects


@given(st.dictionaries(st.sampled_from(["city", "unit", "n"]), schemas(), min_size=1, max_size=3), st.integers(0, 99))
def test_what_is_drawn_is_what_an_engine_could_write(properties: dict[str, Any], seed: int) -> None:
    schema = {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}
    try:
        value = draw_value(schema, random.Random(seed))
    except NoValue:
        return
    assert value == draw_value(schema, random.Random(seed)), "the same seed draws the same"
    call = {"name": "f", "arguments": value}
    text = f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"
    asked = ChatRequest(messages=[], tools=[tool_specification("f", "", schema)], tool_choice="required")
    assert grammar_accepts(grammar_of(asked), text), text


KEYWORDS = st.sampled_from(
    [
        *("type", "enum", "const", "default", "examples", "description", "format", "minimum", "maximum", "exclusiveMinimum", "multipleOf"),
        *(
            "items",
            "minItems",
            "maxItems",
            "uniqueItems",
            "properties",
            "required",
            "anyOf",
            "allOf",
            "$ref",
            "$defs",
            "pattern",
            "minLength",
        ),
    ]
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null", "nonsense"])
NUMBERS = st.sampled_from([0, -1, 3, 2.5, 1e308, -1e308, 10**40])
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TYPES | st.sampled_from(["#", "#/$defs/a", "(", "date", "e.g. 12"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.just("a"), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYWORDS, ANYTHING | TYPES, max_size=6), st.integers(0, 9))
def test_whatever_is_no_schema_is_named(schema: dict[str, Any], seed: int) -> None:
    with suppress(NoValue):
        json.dumps(draw_value(schema, random.Random(seed), name="x", seen=["y"]))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 3, "maximum": 3},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        {"type": "integer", "multipleOf": 5, "minimum": 7},
        {"type": "integer", "maximum": -4},
        {"type": ["null", "string"]},
        {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}}, {"required": ["a"]}]},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"enum": ["x"]}}},
        {"oneOf": [{"type": "nonsense"}, {"const": 2}]},
        {"properties": {"next": {"$ref": "#"}}},
        True,
    ],
)
def test_what_tools_use_has_values(schema: Any) -> None:
    for seed in range(30):
        draw_value(schema, random.Random(seed))


def test_numbers_keep_their_bounds() -> None:
    draws = [draw_value({"type": "integer", "multipleOf": 5, "minimum": 7, "maximum": 20}, random.Random(seed)) for seed in range(40)]
    assert set(draws) == {10, 15, 20}
    assert all(0 < draw_value({"type": "number", "exclusiveMinimum": 0, "maximum": 2}, random.Random(seed)) <= 2 for seed in range(40))


NESTED: dict[str, Any] = {"type": "object", "properties": {f"p{n}": {"$ref": "#"} for n in range(9)}, "required": []}
ENDLESS: dict[str, Any] = {"anyOf": [{"type": "array", "items": {"$ref": "#"}, "minItems": 9, "maxItems": 9}] * 9}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]},
        {"$ref": "http://elsewhere/schema"},
        {"$ref": "#/$defs/none"},
        {"type": "nonsense"},
        {"type": 7},
        7,
        None,
        {"type": "string", "pattern": "^[0-9]{40}$"},
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "^(\\w+\\s?)+$"},
        {"type": "string", "examples": 7, "pattern": "^(a*)*b"},
        {"type": "integer", "minimum": 1e300},
        {"type": "object", "required": [[]]},
        {"type": {"anyOf": []}},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": 7},
        {"type": "array", "items": {"const": 1}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "minItems": "x"},
        {"allOf": [7]},
        ENDLESS,
    ],
)
def test_a_schema_without_values_is_named_and_costs_no_time(schema: Any) -> None:
    begun = time.process_time()
    for seed in range(3):
        with pytest.raises(NoValue):
            draw_value(schema, random.Random(seed))
    assert time.process_time() - begun < 2


def test_a_schema_that_only_may_go_on_for_ever_ends() -> None:
    begun = time.process_time()
    assert isinstance(draw_value(NESTED, random.Random(0)), dict)
    assert time.process_time() - begun < 2


def draws(schema: Any, name: str, seen: list[str] | None = None) -> set[str]:
    return {draw_value(schema, random.Random(seed), name=name, seen=seen or []) for seed in range(80)}


def test_texts_come_from_the_schema_first() -> None:
    assert draws({"type": "string", "examples": ["Rome", "Bonn", "Graz"]}, "city") == {"Rome", "Bonn", "Graz"}
    assert draws({"type": "string", "description": "One of 'a', 'b' or \"c\"."}, "x") == {"a", "b", "c"}
    found = draws({"type": "string", "description": "The city, e.g. Rome"}, "cityName", ["Brno"])
    assert {"Rome", "Brno"} < found
    assert len(found) > 15
    assert draw_value({"type": "string", "description": "in the form YYYY-MM-DD"}, random.Random(0)).count("-") == 2


def test_codes_are_made_after_the_form_of_an_example() -> None:
    found = draws({"type": "string", "description": "Id of the loan, e.g. L1042"}, "loan")
    assert len(found) > 30
    assert sum(one.startswith("L") and len(one) == 5 for one in found) > 20


def test_what_kind_of_text_is_wanted_may_be_known() -> None:
    assert is_known("departureCity", {})
    assert is_known("x", {"description": "Name of the customer."})
    assert is_known("x", {"examples": ["a"]})
    assert not is_known("shade", {"description": "Dim or not."})


@pytest.mark.parametrize(
    ("description", "examples"),
    [
        ("A place such as Oslo or Rome.", ["Oslo", "Rome"]),
        ("Ratio (for example 3:4)", ["3:4"]),
        ("I would like to know.", []),
        ("", []),
    ],
)
def test_examples_of_descriptions(description: str, examples: list[str]) -> None:
    assert examples_in(description) == examples


def test_a_format_that_is_not_known_is_none() -> None:
    assert of_format("iban", random.Random(0)) is None
    assert of_format("", random.Random(0)) is None
