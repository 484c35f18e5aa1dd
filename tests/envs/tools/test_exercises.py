"""Exercises made from tools alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lifelong.core import Task, read_reply, reply_text, tool_call, tool_specification
from lifelong.core.messages import tools_text
from lifelong.envs.practice import exchanges, exercises, preview, variations
from lifelong.envs.templates import HoleValue
from lifelong.envs.tools.exercises import MOST_TOOL_TEXT, ToolExercises, functions_of, seen_in

BOOK = tool_specification(
    "book_table",
    "Books a table at a restaurant for a number of guests.",
    {
        "type": "object",
        "properties": {
            "restaurant": {"type": "string"},
            "guests": {"type": "integer", "minimum": 1, "maximum": 12},
            "date": {"type": "string", "format": "date"},
            "area": {"type": "string", "enum": ["terrace", "hall"]},
            "note": {"type": "string", "default": "none"},
        },
        "required": ["restaurant", "guests"],
    },
)
PING = tool_specification("ping", "Checks the connection.")
TASK = Task(id="t", goal="Book a table at Luna for 4 guests on May 3, 2024.", context="Be quick.", tools=(BOOK, PING), skill="tables")


def call(**arguments: Any) -> str:
    return reply_text("", [tool_call("book_table", arguments, "")])


def test_a_call_is_drawn_and_worded_and_names_the_one_task_that_it_was_made_of() -> None:
    made = exercises(ToolExercises(), [TASK], 60, seed=1)
    assert made == exercises(ToolExercises(), [TASK], 60, seed=1)
    assert made != exercises(ToolExercises(), [TASK], 60, seed=2)
    assert len({one.task.goal for one in made}) == len(made) > 50
    for one in made:
        assert one.source == TASK
        assert (one.task.tools, one.task.skill, one.task.tenant, one.task.context) == (TASK.tools, "tables", TASK.tenant, "")
        _, [found] = read_reply(one.answer)
        arguments = json.loads(found["function"]["arguments"])
        assert one.template == f"{found['function']['name']}({', '.join(sorted(arguments))})"
        if found["function"]["name"] == "book_table":
            assert arguments["restaurant"] in one.task.goal
            assert str(arguments["guests"]) in one.task.goal
    assert "Luna" in {json.loads(read_reply(one.answer)[1][0]["function"]["arguments"]).get("restaurant") for one in made}
    assert {one.template for one in made} >= {"ping()", "book_table(guests, restaurant)"}


def test_kinds_that_fail_are_drawn_more() -> None:
    def share(weights: dict[str, float]) -> float:
        made = exercises(ToolExercises(), [TASK], 80, weights=weights)
        return sum(one.template == "book_table(guests, restaurant)" for one in made) / len(made)

    assert share({"book_table(guests, restaurant)": 1.9}) > share({}) > share({"book_table(guests, restaurant)": 0.1})


RECURSIVE = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}


@pytest.mark.parametrize(
    "tools",
    [
        (),
        (PING,),
        (tool_specification("f", "", RECURSIVE),),
        (tool_specification("f", "", {"type": "string"}),),
        (tool_specification("f", "", {"type": "object", "properties": 7}),),
        (tool_specification("f", "", True),),  # type: ignore[arg-type]
        ({"type": "function"}, {"type": "function", "function": 7}, {"type": "function", "function": {"name": ""}}, 7),
    ],
)
def test_tools_that_cannot_be_practised_make_no_exercise(tools: Any) -> None:
    assert exercises(ToolExercises(), [Task(id="t", goal="Do it.", tools=tools)], 5) == []


def test_a_tool_that_cannot_be_used_leaves_the_others() -> None:
    task = Task(id="t", goal="Do it.", tools=(tool_specification("f", "", RECURSIVE), BOOK))
    made = exercises(ToolExercises(), [task], 10)
    assert len(made) == 10
    assert all(one.template.startswith("book_table(") for one in made)


def test_calls_are_compared_by_what_they_call() -> None:
    source = ToolExercises()
    one = preview(source, TASK, call(guests=2, restaurant="Luna"))
    assert one == preview(source, TASK, "Sure. " + call(restaurant="Luna", guests=2))
    assert one.result != preview(source, TASK, call(guests=3, restaurant="Luna")).result
    assert preview(source, TASK, "I cannot.").error == "no tool is called"
    assert preview(source, TASK, reply_text("", [tool_call("fly", {}, "")])).error == "there is no tool 'fly'"


def test_what_a_request_and_its_call_share_is_exchanged_by_the_schema_s_types() -> None:
    found = exchanges(ToolExercises(), TASK, call(restaurant="Luna", guests=4, date="2024-05-03", note="none"))
    assert set(found) == {
        HoleValue(type="string book_table.restaurant", said="Luna", written="Luna"),
        HoleValue(type="integer", said="4", written="4"),
        HoleValue(type="date book_table.date", said="May 3, 2024", written="2024-05-03"),
    }
    assert all(1 <= int(other.written) <= 12 for other in found[HoleValue(type="integer", said="4", written="4")])
    made = variations(ToolExercises(), [(TASK, call(restaurant="Luna", guests=4, date="2024-05-03"))], 12)
    assert len(made) == 12
    assert all(one.source == TASK and one.task.goal != TASK.goal for one in made)
    for one in made:
        arguments = json.loads(read_reply(one.answer)[1][0]["function"]["arguments"])
        assert arguments["restaurant"] in one.task.goal
        assert f"for {arguments['guests']} guests" in one.task.goal


@pytest.mark.parametrize(
    ("goal", "arguments"),
    [
        # What is not in the request may follow from what is.
        ("Book Luna for Ann, Bo and me.", {"restaurant": "Luna", "guests": 3}),
        ("Book Luna for 4 guests.", {"restaurant": "Luna", "guests": 4, "note": "large table"}),
        # Two things that are said alike.
        ("Book 4 for 4 guests.", {"restaurant": "4", "guests": 4}),
        # Names in another form.
        ("Book the Lunas for 4 guests.", {"restaurant": "Luna", "guests": 4}),
        ("Book 'a \"b\"' for 4 guests.", {"restaurant": 'a "b"', "guests": 4}),
    ],
)
def test_what_could_teach_a_falsehood_is_not_exchanged(goal: str, arguments: dict[str, Any]) -> None:
    assert exchanges(ToolExercises(), Task(id="t", goal=goal, tools=(BOOK,)), call(**arguments)) == {}


@pytest.mark.parametrize("answer", ["", "I cannot.", call(guests=4) + "\n" + call(guests=5), "<tool_call>\n7\n</tool_call>"])
def test_what_is_no_single_call_is_not_exchanged(answer: str) -> None:
    assert exchanges(ToolExercises(), TASK, answer) == {}
    assert variations(ToolExercises(), [(TASK, answer)], 4) == []


def test_the_functions_and_names_of_a_task() -> None:
    assert [one["name"] for one in functions_of(TASK)] == ["book_table", "ping"]
    assert seen_in('Show it to Mei Tanaka at "noon" in Rome, Ada.') == ("Mei Tanaka", "noon", "Rome", "Ada")


def test_of_many_tools_an_exercise_shows_as_many_as_can_be_trained_on() -> None:
    many = tuple(tool_specification(f"tool_{number}", f"Does the thing of number {number}. " * 8) for number in range(30))
    task = replace(TASK, tools=(*many, BOOK), instructions="Be quick.")
    made = exercises(ToolExercises(), [task], 40)
    for one in made:
        assert len(tools_text(one.task.tools)) <= MOST_TOOL_TEXT
        assert read_reply(one.answer)[1][0]["function"]["name"] in {tool["function"]["name"] for tool in one.task.tools}
        assert list(one.task.tools) == [tool for tool in task.tools if tool in one.task.tools], "in their order"
    assert len({tool["function"]["name"] for one in made for tool in one.task.tools}) == 31
    # Where even the one tool is too long it stands alone.
    [long, *_] = exercises(ToolExercises(), [replace(task, instructions="x" * MOST_TOOL_TEXT)], 3)
    assert len(long.task.tools) == 1
