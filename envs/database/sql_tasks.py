"""What every environment answered in SQL offers: a grammar of the task, statements tried without a judgement, exercises, repairs."""

from __future__ import annotations

import hashlib
import json
import random
from abc import abstractmethod
from collections.abc import Mapping, Sequence

from ...core import Task
from ..practice import Exercise, Preview
from ..templates import HoleValue
from .exchanges import sql_exchanges
from .exercises import TEMPLATES, draw_exercise
from .grammar import sql_grammar
from .repair import repair_candidates
from .sqlite import SqlProblem, StatementRefused, answer, rows_to_json
from .template_grammar import sql_template_grammar

_DRAWS = 12
"""Draws for each wanted exercise before the tables are taken to have no more."""


class SqlTasks:
    """Optional members of `Environment` for tasks over tables. The texts of tasks and the rows of their tables are used, gold never."""

    id: str
    instructions: str

    @property
    @abstractmethod
    def name(self) -> str:
        """The skill of the tasks."""

    @abstractmethod
    def _problem(self, task: Task) -> SqlProblem:
        """The problem behind a task. Raises `MalformedTask`."""

    def repair_candidates(self, action: str, error: str, task: Task) -> list[str]:
        """See `Environment`."""
        return repair_candidates(action, error, task.context)

    def grammar(self, task: Task) -> str:
        """See `Environment`."""
        return sql_grammar(task.context, task.goal)

    def template_grammar(self, task: Task, solved: Task, answer: str) -> str:
        """See `Environment`."""
        return sql_template_grammar(task.context, task.goal, solved.context, answer)

    def preview(self, task: Task, action: str) -> Preview:
        """See `Environment`. Queries give their rows; changes give the tables afterwards."""
        tables = self._problem(task).tables
        try:
            result = answer(tables, action)
        except StatementRefused as refusal:
            return Preview(result="", error=f"Error: {refusal}")
        if not result.wrote:
            rows = rows_to_json(result.rows)
            return Preview(result=_digest(["rows", rows]), empty=not any(value is not None for row in rows for value in row))
        state = {name: rows_to_json(rows) for name, rows in result.state.items()}
        same = all(tuple(result.state[table.name]) == tuple(table.rows) for table in tables)
        return Preview(result=_digest(["state", state]), empty=same)

    def exchanges(self, task: Task, answer: str) -> dict[HoleValue, list[HoleValue]]:
        """See `Environment`."""
        return sql_exchanges(task.goal, answer, self._problem(task).tables)

    def exercises(self, tasks: Sequence[Task], count: int, *, weights: Mapping[str, float], seed: int) -> list[Exercise]:
        """See `Environment`. Kinds are those of `exercises.TEMPLATES`; a weight multiplies the usual share of its kind."""
        rng = random.Random(f"exercises/{self.id}/{seed}")
        kinds = list(TEMPLATES)
        shares = [TEMPLATES[kind][1] * weights.get(kind, 1.0) for kind in kinds]
        found: dict[tuple[str, str], Exercise] = {}
        for _ in range(_DRAWS * count):
            if len(found) == count or not sum(shares):
                break
            source, kind = rng.choice(tasks), rng.choices(kinds, weights=shares)[0]
            problem = self._problem(source)
            drawn = draw_exercise(rng.choice(problem.tables), kind, rng)
            if drawn is None or (problem.context, drawn[0]) in found:
                continue
            goal, statement = drawn
            task = Task(
                id=f"exercise-{seed}-{len(found)}",
                goal=goal,
                context=source.context,
                instructions=self.instructions,
                tenant=source.tenant,
                environment=self.id,
                skill=source.skill or self.name,
            )
            found[problem.context, goal] = Exercise(task=task, answer=statement, template=kind, source=source)
        return list(found.values())


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
