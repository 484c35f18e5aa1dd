"""Questions about a small knowledge graph, answered with one SPARQL query."""

from __future__ import annotations

import random

from ...core import Task
from .._reply import ActionResult
from .._splits import GeneratedEnvironment
from ..environment import Demonstration, History
from .generator import make_problem
from .sparql import GraphProblem, judge


class GraphEnvironment(GeneratedEnvironment[GraphProblem]):
    """A fresh graph a task; neighbours, inverses, intersections, counts, extremes and two hops.

    A query is right when it returns the gold query's rows as a multiset. The prefix `:` is declared already.
    A query that fails is an error observation; one that is answered ends the episode.
    """

    id = "graph-v1"
    max_steps = 3
    max_answer_tokens = 64
    history: History = "none"  # each statement is a new attempt at the request
    instructions = "Answer with one SPARQL query."
    # Graphs are made up, so a question stays true under other names and numbers.
    exchangeable = frozenset({"names", "numbers", "quoted"})

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(self._problem(task).gold,))

    def _make(self, rng: random.Random) -> GraphProblem | None:
        return make_problem(rng)

    def _begin(self, task: Task) -> None:
        self._current = self._problem(task)

    def _act(self, action: str) -> ActionResult:
        return judge(self._current, action)
