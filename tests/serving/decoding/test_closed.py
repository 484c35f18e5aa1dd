"""Objects that name their properties have no others; what may name more stays open."""

from __future__ import annotations

from typing import Any

import pytest

from lifelong.core import MalformedTask
from lifelong.core.messages import tool_specification
from lifelong.serving import ChatRequest
from lifelong.serving.decoding.closed import closed
from lifelong.serving.decoding.grammar import grammar_of

ID = {"properties": {"id": {"type": "integer"}}}
CLOSED = {**ID, "additionalProperties": False}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (ID, CLOSED),
        ({"type": "object"}, {"type": "object"}),
        ({"properties": {}}, {"properties": {}}),
        ({**ID, "additionalProperties": True}, {**ID, "additionalProperties": True}),
        ({**ID, "additionalProperties": ID}, {**ID, "additionalProperties": CLOSED}),
        ({"type": "array", "items": ID}, {"type": "array", "items": CLOSED}),
        ({"prefixItems": [ID, True]}, {"prefixItems": [CLOSED, True]}),
        ({"anyOf": [ID, {"type": "null"}]}, {"anyOf": [CLOSED, {"type": "null"}]}),
        ({"$defs": {"one": ID}, "$ref": "#/$defs/one"}, {"$defs": {"one": CLOSED}, "$ref": "#/$defs/one"}),
        (
            {"properties": {"properties": ID}},
            {"properties": {"properties": CLOSED}, "additionalProperties": False},
        ),
        # Each of these may be a part of one object.
        ({**ID, "anyOf": [{"properties": {"name": {}}}]}, {**ID, "anyOf": [{"properties": {"name": {}}}]}),
        ({"allOf": [ID, {"properties": {"name": {}}}]}, {"allOf": [ID, {"properties": {"name": {}}}]}),
        ({"$defs": {"base": ID}, "allOf": [{"$ref": "#/$defs/base"}]}, {"$defs": {"base": ID}, "allOf": [{"$ref": "#/$defs/base"}]}),
        (
            {"$defs": {"base": ID}, "items": [{"$ref": "#/$defs/base", "properties": {"name": {}}}]},
            {"$defs": {"base": ID}, "items": [{"$ref": "#/$defs/base", "properties": {"name": {}}}]},
        ),
        ({"anyOf": [ID], "oneOf": [ID]}, {"anyOf": [ID], "oneOf": [ID]}),
        ({**ID, "patternProperties": {"^x": {}}}, {**ID, "patternProperties": {"^x": {}}}),
        (True, True),
        ("x", "x"),
        ({"properties": 3, "items": None}, {"properties": 3, "items": None}),
    ],
)
def test_what_names_its_properties_is_closed(given: Any, found: Any) -> None:
    before = repr(given)
    assert closed(given) == found
    assert closed(closed(given)) == found
    assert repr(given) == before, "the request is not changed"


def test_the_arguments_of_a_tool_are_those_that_it_names() -> None:
    schema = {"type": "object", **ID}
    request = ChatRequest(messages=[{"role": "user", "content": "?"}], tools=[tool_specification("t", "", schema)], tool_choice="t")
    assert '"additionalProperties": false' in grammar_of(request)
    # A response format is the client's own word on it.
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert "additionalProperties" not in grammar_of(ChatRequest(messages=request.messages, response_format=asked))


def test_a_schema_that_is_nested_too_deeply_is_refused_in_words() -> None:
    schema: Any = ID
    for _ in range(20_000):
        schema = {"type": "array", "items": schema}
    assert closed(schema) is schema
    tools = [tool_specification("t", "", {"type": "object", "properties": {"deep": schema}})]
    with pytest.raises(MalformedTask, match="nested too deeply"):
        grammar_of(ChatRequest(messages=[{"role": "user", "content": "?"}], tools=tools, tool_choice="t"))
