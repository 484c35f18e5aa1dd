"""The database tasks of LifelongAgentBench (arXiv 2505.11942), read from a data directory and judged in SQLite."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ...core import DataMissing, MalformedTask, Task
from .._episodes import TextEnvironment
from .._reply import ActionResult
from ..environment import Demonstration, History, Split
from .sql_tasks import SqlTasks
from .sqlite import SqlProblem, SQLRow, StatementRefused, Table, answer, asks_for_order, execute, judge, same_rows, shown

_FILE = Path("lifelongagentbench") / "db_bench.json"
_FIRST = {"train": 0, "test": 150}
_TASKS = 150
_STORED_TOLERANCE = 1e-4
"""The stored answers were rounded to four decimals by MySQL."""


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One task of the file."""

    problem: SqlProblem
    stored: tuple[SQLRow, ...] | None
    """The answer that the benchmark stores for a query, None for a modification."""


class LabDatabaseEnvironment(TextEnvironment, SqlTasks):
    """LifelongAgentBench DB: `train` is sample 0 to 149, `test` 150 to 299, in index order; the seed is ignored.

    The gold statement runs in the same SQLite as the answer. A query is right when it returns the same rows: in the same order where
    the gold statement asks for one, as a multiset elsewhere. A modification is right when it leaves the same table. The benchmark
    itself used MySQL. Where a gold statement is MySQL only (2 of 300, both `UPDATE ... JOIN`: samples 81 and 270), an answer counts
    only if it returns the rows that the benchmark stores; it stores none for modifications, so those two always count as failed.
    """

    id = "lab-db-v1"
    max_steps = 3
    max_answer_tokens = 160
    history: History = "none"  # each statement is a new attempt at the request
    instructions = "Answer with one SQLite statement."

    def __init__(self, data: Path | str) -> None:
        super().__init__()
        self._data = Path(data)
        self._path = self._data / _FILE

    def spawn(self) -> Self:
        twin = type(self)(self._data)
        # The tasks are never changed, and reading them takes a while.
        twin._entries = self._entries
        return twin

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        if count > _TASKS:
            raise ValueError(f"lab-db has {_TASKS} {split} tasks, {count} were asked for; ask for fewer")
        first = _FIRST[split]
        return [self._task(index) for index in range(first, first + count)]

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(self._entry(task).problem.gold,))

    @cached_property
    def _entries(self) -> list[_Entry]:
        """Raises `DataMissing` when the file is absent or is not the benchmark's."""
        if not self._path.is_file():
            raise DataMissing(f"{self._path} is not there; put LifelongAgentBench's db_bench.json there, or name another data directory")
        try:
            rows: dict[str, dict[str, Any]] = json.loads(self._path.read_text(encoding="utf-8"))
            entries = [_entry(rows[str(index)]) for index in range(2 * _TASKS)]
        except (ValueError, KeyError, TypeError) as problem:
            raise DataMissing(f"{self._path} is not LifelongAgentBench's DB file ({problem!r}); fetch it again") from problem
        return entries

    def _task(self, index: int) -> Task:
        problem = self._entries[index].problem
        return Task(
            id=f"lab-db-{index}",
            goal=problem.goal,
            context=problem.context,
            instructions=self.instructions,
            environment=self.id,
            skill=self.name,
        )

    def _entry(self, task: Task) -> _Entry:
        match = re.fullmatch(r"lab-db-(\d{1,3})", task.id)
        index = int(match[1]) if match else -1
        if not 0 <= index < len(self._entries) or self._task(index).text != task.text:
            raise MalformedTask(f"task {task.id!r} is not one of lab-db's; take tasks from `tasks()` and use them unchanged")
        return self._entries[index]

    def _problem(self, task: Task) -> SqlProblem:
        return self._entry(task).problem

    def _begin(self, task: Task) -> None:
        self._current = self._entry(task)

    def _act(self, action: str) -> ActionResult:
        try:
            execute(self._current.problem.tables, self._current.problem.gold)
        except StatementRefused:
            return _judge_by_stored_rows(self._current, action)
        return judge(self._current.problem, action)


def _judge_by_stored_rows(entry: _Entry, action: str) -> ActionResult:
    try:
        result = answer(entry.problem.tables, action)
    except StatementRefused as refusal:
        return ActionResult(text=f"Error: {refusal}", error=True)
    right = (
        entry.stored is not None
        and not result.wrote
        and same_rows(result.rows, entry.stored, ordered=entry.problem.ordered, tolerance=_STORED_TOLERANCE)
    )
    return ActionResult(text=shown(result), reward=float(right), done=True, success=right)


def _entry(row: dict[str, Any]) -> _Entry:
    info, gold = row["table_info"], row["answer_info"]
    table = Table(
        name=info["name"],
        columns=tuple((column["name"], column["type"]) for column in info["column_info_list"]),
        rows=tuple(map(tuple, info["row_list"])),
    )
    stored = gold["direct"]
    return _Entry(
        problem=SqlProblem(tables=(table,), goal=row["instruction"], gold=gold["sql"], ordered=asks_for_order(gold["sql"])),
        stored=tuple(map(tuple, stored)) if stored is not None else None,
    )
