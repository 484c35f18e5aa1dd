"""Exercises as samples, what they are asked as, and which kinds are practised more."""

from __future__ import annotations

from scripted import ScriptedEngine

from lifelong.agents import Job, RepairStrategy
from lifelong.agents.consolidation.practice import exercise_results, practice_samples, template_weights
from lifelong.core import text_of
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.practice import exercises


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
