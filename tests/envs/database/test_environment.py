from __future__ import annotations

import random
from collections import Counter

import pytest

from lifelong.core import MalformedTask, Task
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.database.generator import make_problem
from lifelong.envs.database.schemas import SCHEMAS
from lifelong.envs.database.sqlite import SqlProblem, execute


@pytest.fixture(scope="module")
def problems() -> list[SqlProblem]:
    drawn = (make_problem(random.Random(seed)) for seed in range(450))
    return [problem for problem in drawn if problem]


def test_many_schemas() -> None:
    assert len(SCHEMAS) >= 35
    for schema in SCHEMAS.values():
        assert 4 <= len(schema.columns) <= 7, schema.name
        assert any(column.measure for column in schema.columns), schema.name
        assert any(column.grouping for column in schema.columns), schema.name
        if schema.parent:
            parent = SCHEMAS[schema.parent.options[0]]
            shared = {c.name for c in schema.columns} & {c.name for c in parent.columns}
            assert shared == {parent.columns[0].name} == {schema.parent.name}


def test_tables_have_8_to_20_rows(problems: list[SqlProblem]) -> None:
    assert {8 <= len(table.rows) <= 20 for problem in problems for table in problem.tables} == {True}


def test_every_skill_appears_and_few_are_long(problems: list[SqlProblem]) -> None:
    words = ("INSERT", "UPDATE", "DELETE", "WHERE", " OR ", " IN (", "LIKE", "BETWEEN", "ORDER BY", "LIMIT", "OFFSET", "DISTINCT")
    words += ("SUM(", "AVG(", "COUNT(", "GROUP BY", "HAVING", "JOIN", "(SELECT", " AS ")
    seen = Counter(word for problem in problems for word in words if word in problem.gold)
    assert all(seen[word] >= 5 for word in words), seen
    assert seen["JOIN"] + seen["(SELECT"] < 0.2 * len(problems)


def test_the_answer_is_never_nothing(problems: list[SqlProblem]) -> None:
    for problem in problems:
        result = execute(problem.tables, problem.gold)
        if result.wrote:
            assert any(result.state[table.name] != table.rows for table in problem.tables)
        else:
            assert result.rows


def test_values_in_the_statement_come_from_the_goal(problems: list[SqlProblem]) -> None:
    for problem in problems:
        if "LIKE" not in problem.gold:
            for value in problem.gold.split("'")[1::2]:
                spelled_date = value[:4].isdigit() and value[:4] in problem.goal
                assert value in problem.goal or spelled_date, (problem.goal, problem.gold)


def test_an_error_keeps_the_episode_open_and_an_answer_ends_it() -> None:
    environment = DatabaseEnvironment()
    task = environment.tasks("train", 1, seed=5)[0]
    first, _ = environment.reset(options={"task": task})
    assert first == f"{task.context}\n{task.goal}"
    observation, reward, terminated, truncated, info = environment.step("SELECT nope FROM nowhere")
    assert observation == "Error: no such table: nowhere"
    assert (reward, terminated, truncated, info["error"]) == (0.0, False, False, True)
    gold = environment.demonstrate(task).actions[0]
    _, reward, terminated, truncated, info = environment.step(f"```sql\n{gold}\n```")
    assert (reward, terminated, truncated, info["error"]) == (1.0, True, False, False)


def test_three_errors_truncate() -> None:
    environment = DatabaseEnvironment()
    environment.reset(seed=3)
    assert [environment.step("SELEC")[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]


def test_same_id_same_task_in_another_instance() -> None:
    task = DatabaseEnvironment().tasks("test", 20, seed=9)[19]
    assert DatabaseEnvironment().demonstrate(task) == DatabaseEnvironment().demonstrate(task)


@pytest.mark.parametrize("name", ["database-train-0", "graph-train-0-1", "database-dev-0-1", "database-train-0-0"])
def test_unknown_tasks_are_refused(name: str) -> None:
    with pytest.raises(MalformedTask, match=name):
        DatabaseEnvironment().reset(options={"task": Task(id=name, goal="Return everything.")})
