"""Requests made of calls."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from lifelong.envs.tools.requests import ask_for, imperative, say, spoken

WEATHER: Any = {
    "name": "get_weather",
    "description": "Gets the current weather in a given city. Free of charge.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "alerts": {"type": "boolean", "description": "Whether to include alerts."}},
    },
}


def asked(function: Any, arguments: dict[str, Any], draws: int = 60) -> list[str]:
    return [ask_for(function, arguments, random.Random(seed)) for seed in range(draws)]


def test_every_argument_is_named_and_the_tool_s_own_words_are_used() -> None:
    found = asked(WEATHER, {"city": "Oslo", "alerts": False})
    assert len(set(found)) > 15
    assert all("weather" in one and "Oslo" in one and "do not include alerts" in one for one in found)
    assert sum("the current weather in Oslo" in one for one in found) > 20
    assert not any("given" in one or "charge" in one for one in found)
    assert all(one[0].isupper() and one[-1] in ".?" for one in found)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("This function calculates the area of a circle, given its radius.", "calculate the area of a circle"),
        ("Books a table for a number of guests\nMore.", "book a table for a number of guests"),
        ("Fetches e.g. news", "fetch e.g. news"),
        ("", "find user"),
        ("word " * 40, "find user"),
        ("SQL query runner", "SQL query runner"),
        (None, "find user"),
    ],
)
def test_a_description_becomes_a_request(description: str, said: str) -> None:
    assert imperative({"name": "findUser", "description": description}) == said


def test_a_number_of_things_is_counted() -> None:
    function: Any = {"name": "book", "description": "Books a table for a number of guests."}
    found = asked(function, {"guests": 4})
    assert all(re.search("4 guests|guests.* 4", one) for one in found)
    assert any("a table for 4 guests" in one for one in found)


def test_a_parameter_that_is_called_like_the_thing_stands_beside_it() -> None:
    function: Any = {"name": "get", "description": "Get the weather."}
    found = asked(function, {"weather": "sunny"})
    assert all("get" in one.lower() and "sunny" in one for one in found)
    assert any("the weather" in one for one in found)


@pytest.mark.parametrize(
    ("value", "said"),
    [(True, "yes"), (None, "none"), ([], "nothing"), ([1, 2, 3], "1, 2 and 3"), ({"a_b": 1}, "a b 1"), ({}, "nothing"), (2.5, "2.5")],
)
def test_values_in_words(value: Any, said: str) -> None:
    assert say(value, None, random.Random(0)) == said


def test_a_day_is_said_in_both_ways() -> None:
    said = {say("2024-05-03", {"format": "date"}, random.Random(seed)) for seed in range(20)}
    assert said == {"2024-05-03", "May 3, 2024"}


def test_arguments_of_any_shape_are_worded() -> None:
    for parameters in ({"properties": 7}, {"properties": {"a": True}}, [7], None):
        assert "1" in ask_for({"name": "x.y", "parameters": parameters}, {"a": 1}, random.Random(0))  # type: ignore[typeddict-item]
    for arguments in ({}, {"a": None}, {"a": [{"b": True}]}, {"a (b": "c"}, {"": 1}):
        assert ask_for({"name": "x.y"}, arguments, random.Random(0)).strip()
    assert spoken("HTTPServer-port") == "httpserver port"
