"""Exercises as samples, what they are asked as, and which kinds are practised more."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, Field
from scripted import ScriptedEngine

from lifelong.agents import Job, RepairStrategy
from lifelong.agents.consolidation.practice import (
    VARIATIONS,
    exercise_results,
    made_exercises,
    practice_samples,
    practice_source,
    template_weights,
)
from lifelong.core import Task, read_reply, reply_text, text_of, tool_call, tool_specification
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.practice import Exercise, exercises
from lifelong.envs.tools.exercises import ToolExercises
from lifelong.serving import ChatReply, ChatRequest


def test_an_exercise_is_asked_as_a_task_is_and_says_where_it_comes_from() -> None:
    environment = DatabaseEnvironment()
    tasks = environment.tasks("train", 2)
    made = exercises(environment, tasks, 6)
    [*found] = practice_samples(made, {tasks[0].id: "run-0"})
    assert len(found) == sum(one.source == tasks[0] for one in made)
    assert all(sample.practice and sample.episode == "run-0" and sample.skill == "database" for sample in found)
    engine = ScriptedEngine(lambda request: "SELECT 1")
    RepairStrategy(engine).act([Job(task=tasks[0], environment=environment)])
    asked = [(one["role"], text_of(one).replace(tasks[0].goal, "")) for one in engine.requests[0].messages]
    own = next(one for one in made if one.source == tasks[0])
    practised = [(one["role"], text_of(one).replace(own.task.goal, "")) for one in found[0].messages]
    assert asked == practised


def test_an_examined_answer_is_right_when_it_brings_about_the_same() -> None:
    environment = DatabaseEnvironment()
    made = exercises(environment, environment.tasks("train", 3), 8)
    answers = {one.task.goal: one.answer for one in made}

    def answer(text: str) -> str:
        found = next(right for goal, right in answers.items() if goal in text)
        return f"```sql\n{found}\n```" if answers and list(answers.values()).index(found) % 2 else "SELECT 'something else'"

    engine = ScriptedEngine(lambda request: answer(text_of(request.messages[-1])))
    results = exercise_results(made, environment, engine, adapter="one")
    assert [right for _, right in results] == [number % 2 == 1 for number in range(len(made))]
    assert [template for template, _ in results] == [one.template for one in made]
    assert {request.adapter for request in engine.requests} == {"one"}
    assert not any(request.grammar for request in engine.requests), "this engine follows no grammar"


def test_kinds_that_fail_are_practised_more_and_unknown_ones_as_usual() -> None:
    weights = template_weights([("a", True)] * 4 + [("b", False)] * 4 + [("c", True), ("c", False)])
    assert weights["b"] > weights["c"] > weights["a"] > 0
    assert weights["c"] == 1
    assert template_weights([]) == {}


BOOK = tool_specification(
    "book",
    "Books a table for a number of guests.",
    {"type": "object", "properties": {"place": {"type": "string"}, "guests": {"type": "integer", "minimum": 1}}, "required": ["place"]},
)
RECURSIVE = tool_specification("walk", "Walks on.", {"type": "object", "properties": {"next": {"$ref": "#"}}})
TASK = Task(id="t", goal="Book a table for 3 guests at Luna.", tools=(BOOK,), skill="tables")
CALL = reply_text("", [tool_call("book", {"place": "Luna", "guests": 3}, "")])


def test_who_makes_exercises() -> None:
    assert practice_source(None, [Task(id="a", goal="b")]) is None
    assert practice_source(None, []) is None
    assert isinstance(practice_source(None, [TASK]), ToolExercises)
    environment = DatabaseEnvironment()
    assert practice_source(environment, [TASK]) is environment


def test_half_of_the_exercises_at_most_are_solved_tasks_with_other_values() -> None:
    source = practice_source(None, [TASK])
    made = made_exercises(source, [TASK], [(TASK, CALL)], 20)
    assert len(made) == 20
    varied = [one for one in made if one.template.startswith("<tool_call>")]
    assert len(varied) == VARIATIONS
    assert all(one.task.goal.startswith("Book a table for ") and " guests at " in one.task.goal for one in varied)
    assert len(made_exercises(source, [TASK], [], 20)) == 20
    [sample, *_] = practice_samples(made, {"t": "run-0"})
    assert (sample.tools, sample.practice, sample.episode) == ((BOOK,), True, "run-0")


def test_a_task_whose_tools_no_engine_takes_is_not_practised() -> None:
    task = replace(TASK, tools=(BOOK, RECURSIVE))
    assert made_exercises(ToolExercises(), [task], [], 10) == []


def test_a_call_is_examined_by_what_it_calls() -> None:
    made = made_exercises(ToolExercises(), [TASK], [], 6)
    answers = {one.task.goal: one.answer for one in made}

    class Calling(ScriptedEngine):
        def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
            return [
                replace(reply, text="", tool_calls=read_reply(reply.text)[1] if number % 2 else ())
                for number, reply in enumerate(super().chat(requests))
            ]

    engine = Calling(lambda request: answers[text_of(request.messages[-1])])
    results = exercise_results(made, ToolExercises(), engine, adapter="one")
    assert [right for _, right in results] == [number % 2 == 1 for number in range(len(made))]
    assert all(request.tools == (BOOK,) and not request.grammar for request in engine.requests)


class Address(BaseModel):
    street: str
    zip_code: str | None = None


class Order(BaseModel):
    customer_name: str = Field(description="Full name of the customer.")
    address: Address
    items: list[str] = Field(description="Products to order.", min_length=1)
    due: datetime.date
    priority: Literal["low", "high"] = "low"
    gift: bool = Field(default=False, description="Whether to wrap it as a gift")
    budget: float | None = Field(default=None, ge=0)


def test_a_schema_as_pydantic_writes_it_is_practised() -> None:
    task = Task(id="t", goal="Order it.", tools=(tool_specification("place_order", "Places an order.", Order.model_json_schema()),))
    made = made_exercises(ToolExercises(), [task], [], 30)
    assert len(made) == 30, "the engine's grammar takes all of them"
    for one in made:
        order = Order.model_validate_json(read_reply(one.answer)[1][0]["function"]["arguments"])
        assert order.customer_name in one.task.goal
        assert order.address.street in one.task.goal
        assert all(item in one.task.goal for item in order.items)


def test_an_exercise_that_is_refused_or_does_nothing_is_left_out() -> None:
    class Careless(DatabaseEnvironment):
        def exercises(self, tasks: Sequence[Task], count: int, *, weights: Any, seed: int) -> list[Exercise]:
            right, *others = super().exercises(tasks, count, weights=weights, seed=seed)
            wrong = ["SELECT nothing FROM nowhere", "SELECT NULL", "Not SQL."]
            return [right, *(replace(one, answer=answer) for one, answer in zip(others, wrong, strict=False))]

    environment = Careless()
    tasks = environment.tasks("train", 2)
    assert len(exercises(environment, tasks, 4)) == 4
    assert len(made_exercises(environment, tasks, [], 4)) == 1
