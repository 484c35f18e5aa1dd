"""Function calls of the Berkeley Function Calling Leaderboard v4 as an environment, judged by a check of this project's own.

Patil et al. 2025, "The Berkeley Function Calling Leaderboard", https://gorilla.cs.berkeley.edu/leaderboard.html. An answer is right where
it makes exactly the calls that are wanted, in any order: names, no argument too many, every required one, each value one of those that
count. Strings are compared without case, blanks and the signs that the leaderboard passes over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ...core import DataMissing, MalformedTask, Task, ToolCall, read_reply, reply_text, tool_call, tool_specification
from ...envs import Demonstration, History, Split
from ...envs._episodes import TextEnvironment
from ...envs._reply import ActionResult

CATEGORIES: Mapping[str, str] = {"simple": "simple_python", "multiple": "multiple", "parallel": "parallel"}
"""Categories and their files: one function and one call, several functions and one call, one function and several calls."""
TRAIN: Mapping[str, int] = {"simple": 100, "multiple": 50, "parallel": 50}
"""Tasks of each that may be learned from, the first of the file; the others are unseen."""
_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
_DROPPED = ("optional", "default", "format")
_IGNORED = re.compile(r"[ ,./\-_*^]")

Calls = Sequence[Mapping[str, Mapping[str, Any]]]
"""The calls that are wanted: a name, and for each argument the values that count, `""` where it may be left out."""


class FunctionCallEnvironment(TextEnvironment):
    """Each task has its own functions as tools. `train` takes the categories in turn, and so does `test`; the seed is ignored."""

    id = "function-calls-v1"
    max_steps = 8
    max_answer_tokens = 160
    history: History = "none"
    always_calls = True
    instructions = "Call the function that the request needs."

    def __init__(self, data: Path | str) -> None:
        super().__init__()
        self._data = Path(data)
        self._left: list[Mapping[str, Mapping[str, Any]]] = []

    def spawn(self) -> Self:
        twin = type(self)(self._data)
        twin._entries = self._entries
        return twin

    def tasks(self, split: Split, count: int, *, seed: int = 0) -> Sequence[Task]:
        parts = []
        for category in CATEGORIES:
            some = [task for task, _ in self._entries.values() if task.id.startswith(f"{category}-")]
            parts.append(some[: TRAIN[category]] if split == "train" else some[TRAIN[category] :])
        found = [part[place] for place in range(max(map(len, parts))) for part in parts if place < len(part)]
        if count > len(found):
            raise ValueError(f"{self.id} has {len(found)} {split} tasks, {count} were asked for; ask for fewer")
        return found[:count]

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(right_answer(self._wanted(task)),))

    def right_at_once(self, task: Task, reply: str) -> bool:
        """Whether one whole reply makes the calls that are wanted and no other, as the leaderboard counts."""
        return makes(read_reply(reply)[1], self._wanted(task))

    def _begin(self, task: Task) -> None:
        self._left = list(self._wanted(task))

    def _act(self, action: str) -> ActionResult:
        calls = read_reply(action)[1]
        if not calls:
            return ActionResult(text="No function was called.", done=True)
        for call in calls:
            match = next((one for one in self._left if _is(call, one)), None)
            if match is None:
                return ActionResult(text="This call is not what the request needs.", done=True)
            self._left.remove(match)
        done = not self._left
        return ActionResult(text="Done.", reward=float(done), done=done, success=done)

    @cached_property
    def _entries(self) -> dict[str, tuple[Task, Calls]]:
        found: dict[str, tuple[Task, Calls]] = {}
        for category, name in CATEGORIES.items():
            folder, file = self._data / "bfcl", f"BFCL_v4_{name}.json"
            wanted = {row["id"]: row["ground_truth"] for row in _rows(folder / "possible_answer" / file)}
            for place, row in enumerate(_rows(folder / file)):
                task = self._task(f"{category}-{place}", row)
                found[task.id] = task, wanted[row["id"]]
        return found

    def _task(self, name: str, row: Mapping[str, Any]) -> Task:
        tools = [tool_specification(_plain(one["name"]), one["description"], schema_of(one["parameters"])) for one in row["function"]]
        goal = "\n".join(message["content"] for message in row["question"][0])
        return Task(id=name, goal=goal, instructions=self.instructions, tools=tuple(tools), environment=self.id, skill=self.name)

    def _wanted(self, task: Task) -> Calls:
        entry = self._entries.get(task.id)
        if entry is None or entry[0].goal != task.goal:
            raise MalformedTask(f"task {task.id!r} is not one of {self.id!r}; take tasks from `tasks()`")
        return entry[1]


def _rows(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        raise DataMissing(f"{file} is not there; put the leaderboard's files there, or name another data directory")
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise DataMissing(f"{file} is not the leaderboard's ({error}); fetch it again") from error


def schema_of(declared: Any) -> Any:
    """JSON Schema of parameters as the leaderboard writes them.

    >>> schema_of({"type": "dict", "properties": {"size": {"type": "float", "default": 1.0}}})
    {'type': 'object', 'properties': {'size': {'type': 'number'}}}
    """
    if not isinstance(declared, dict):
        return declared
    found: dict[str, Any] = {}
    for key, value in declared.items():
        if key == "properties":
            found[key] = {name: schema_of(one) for name, one in value.items()}
        elif key == "type" and value != "any":
            found[key] = _TYPES.get(value, value)
        elif key not in (*_DROPPED, "type"):
            found[key] = schema_of(value)
    return found


def makes(calls: Sequence[ToolCall], wanted: Calls) -> bool:
    """Whether calls are those that are wanted, in any order, and no more."""
    left = list(wanted)
    for call in calls:
        match = next((one for one in left if _is(call, one)), None)
        if match is None:
            return False
        left.remove(match)
    return not left and bool(calls)


def right_answer(wanted: Calls) -> str:
    """A reply with the wanted calls, with the first value that counts of each argument."""
    calls = []
    for place, one in enumerate(wanted):
        [(name, arguments)] = one.items()
        calls.append(tool_call(_plain(name), json.dumps(_first(arguments), ensure_ascii=False), f"call_{place}"))
    return reply_text("", calls)


def _first(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(values[0]) for name, values in arguments.items() if values[0] != ""}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return _first(value)
    return [_value(one) for one in value] if isinstance(value, list) else value


def _plain(name: str) -> str:
    """A function's name as engines allow it."""
    return name.replace(".", "_")


def _is(call: ToolCall, wanted: Mapping[str, Mapping[str, Any]]) -> bool:
    [(name, arguments)] = wanted.items()
    try:
        given = json.loads(call["function"]["arguments"])
    except ValueError:
        return False
    return call["function"]["name"] == _plain(name) and _matches(given, arguments)


def _matches(given: Any, wanted: Mapping[str, Any]) -> bool:
    if not isinstance(given, dict) or not set(given) <= set(wanted):
        return False
    return all(_counts(given, name, values) for name, values in wanted.items())


def _counts(given: Mapping[str, Any], name: str, values: Sequence[Any]) -> bool:
    """Whether an argument has a value that counts, or is left out where it may be."""
    return any(_same(given[name], value) for value in values if value != "") if name in given else "" in values


def _same(given: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return _matches(given, wanted)
    if isinstance(wanted, list):
        return isinstance(given, list) and len(given) == len(wanted) and all(map(_same, given, wanted))
    if isinstance(wanted, bool) or wanted is None:
        return given is wanted
    if isinstance(wanted, int | float):
        # A whole number stands for a fraction, and no fraction for a whole number.
        number = isinstance(given, int | float) and not isinstance(given, bool)
        return number and given == wanted and not (isinstance(wanted, int) and isinstance(given, float))
    return isinstance(given, str) and _text(given) == _text(wanted)


def _text(text: str) -> str:
    return _IGNORED.sub("", text).lower().replace("'", '"')
