"""Generated database requests."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from lifelong.envs.database.generator import make_problem
from lifelong.envs.database.sqlite import SqlProblem, execute


@pytest.fixture(scope="module")
def problems() -> list[SqlProblem]:
    drawn = (make_problem(random.Random(seed)) for seed in range(450))
    return [problem for problem in drawn if problem]


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
