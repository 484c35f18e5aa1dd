"""Requests of a business user over one or two tables, answered with one SQL statement and judged in SQLite."""

from __future__ import annotations

import random

from ...core import Task
from .._reply import ActionResult
from .._splits import GeneratedEnvironment
from ..environment import Demonstration, History
from .generator import make_problem
from .sql_tasks import SqlTasks
from .sqlite import SqlProblem, judge


class DatabaseEnvironment(GeneratedEnvironment[SqlProblem], SqlTasks):
    """Generated tables and requests: insert, update, delete, filter, order, limit, distinct, aggregate, group, having, join, nested.

    A query is right when it returns the gold query's rows, as a multiset, or in sequence when the request
    asks for an order. A modification is right when it leaves the tables as the gold statement does. A
    statement that fails is an error observation; one that runs ends the episode.
    """

    id = "database-v1"
    max_steps = 3
    max_answer_tokens = 96
    history: History = "none"  # each statement is a new attempt at the request
    instructions = "Answer with one SQLite statement."
    # Tables, columns and values are made up, so a request stays true under other names and numbers.
    exchangeable = frozenset({"names", "numbers", "quoted"})

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(self._problem(task).gold,))

    def _make(self, rng: random.Random) -> SqlProblem | None:
        return make_problem(rng)

    def _begin(self, task: Task) -> None:
        self._current = self._problem(task)

    def _act(self, action: str) -> ActionResult:
        return judge(self._current, action)
