"""What environments answered in SQL offer for learning without an answer key."""

from __future__ import annotations

from collections import Counter

import pytest

from lifelong.core import MalformedTask
from lifelong.envs import DatabaseEnvironment


@pytest.fixture(scope="module")
def environment() -> DatabaseEnvironment:
    return DatabaseEnvironment()


def test_a_preview_says_what_would_come_and_judges_nothing(environment: DatabaseEnvironment) -> None:
    task = next(one for one in environment.tasks("train", 20) if environment.demonstrate(one).actions[0].startswith("SELECT"))
    [gold] = environment.demonstrate(task).actions
    table = task.context.removeprefix("Table ").split("(")[0]
    right = environment.preview(task, gold)
    assert not right.error
    assert not right.empty
    assert environment.preview(task, f"Here it is:\n```sql\n{gold}\n```") == right
    assert environment.preview(task, f"SELECT * FROM {table} WHERE 1 = 0").empty
    assert environment.preview(task, f"DELETE FROM {table} WHERE 1 = 0").empty
    assert not environment.preview(task, f"DELETE FROM {table}").empty
    assert environment.preview(task, "SELECT a FROM nowhere").error == "Error: no such table: nowhere"
    assert "success" not in repr(right)


def test_a_query_and_a_change_never_agree(environment: DatabaseEnvironment) -> None:
    [task] = environment.tasks("train", 1)
    table = task.context.removeprefix("Table ").split("(")[0]
    assert environment.preview(task, f"SELECT * FROM {table}").result != environment.preview(task, f"DELETE FROM {table}").result


def test_exercises_are_made_of_the_given_tasks_alone(environment: DatabaseEnvironment) -> None:
    tasks = environment.tasks("train", 3)
    made = environment.exercises(tasks, 40, weights={}, seed=5)
    assert len(made) == 40
    assert {one.source.id for one in made} <= {task.id for task in tasks}
    assert all(one.task.context == one.source.context and one.task.goal != one.source.goal for one in made)
    assert len({(one.task.context, one.task.goal) for one in made}) == 40
    assert [one.answer for one in made] != [one.answer for one in environment.exercises(tasks, 40, weights={}, seed=6)]


def test_kinds_are_drawn_by_their_weights(environment: DatabaseEnvironment) -> None:
    tasks = environment.tasks("train", 10)
    usual = Counter(one.template for one in environment.exercises(tasks, 200, weights={}, seed=0))
    more = Counter(one.template for one in environment.exercises(tasks, 200, weights={"having": 4.0, "order": 0.0}, seed=0))
    assert more["having"] > 1.5 * usual["having"]
    assert usual["order"] > more["order"] == 0


def test_an_exercise_is_no_task_of_the_environment(environment: DatabaseEnvironment) -> None:
    [one] = environment.exercises(environment.tasks("train", 1), 1, weights={}, seed=0)
    with pytest.raises(MalformedTask):
        environment.reset(options={"task": one.task})
