"""Exercises in calling tools, made from nothing but the tools that tasks have: a call is drawn, then worded as a request.

For tasks whose environment makes no exercises of its own, chats among them. What a call would do is not known and not needed: a request
that was made of a call asks for this call. Every exercise is made of one task alone (its tools, and names and texts of its request), so
that it goes when that task is erased.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...core import Task, ToolSpecification, read_reply, reply_text, tool_call
from ...core.messages import FunctionSpecification, tools_text
from ..practice import DRAWS, Exercise, Preview
from ..templates import HoleValue, is_clear
from .requests import ask_for, say
from .values import NoValue, draw_value, is_known

_SEEN = re.compile(r"'([^'\n]{2,40})'|\"([^\"\n]{2,40})\"|(?<=[a-z,] )([A-Z][\w&-]*(?: [A-Z][\w&-]*)*)")
MOST_TOOL_TEXT = 1600
"""Characters that instructions and tools may have together in an exercise, about 450 tokens: training cuts off what is longer."""
_OTHERS = 6
"""Values offered in the place of one."""


class ToolExercises:
    """Makes exercises for tasks with tools; has the optional members of `Environment` that practice reads."""

    max_answer_tokens = 256
    """Tokens that a call may have."""

    def exercises(self, tasks: Sequence[Task], count: int, *, weights: Mapping[str, float], seed: int) -> list[Exercise]:
        """See `Environment`. A kind is a tool with the parameters that are given; a weight makes it likelier, up to twice as likely.

        Tools whose schema no value satisfies are left out, and so are calls without a parameter where there is no other tool.
        """
        rng = random.Random(f"tools/{seed}")
        sources = [task for task in tasks if functions_of(task)]
        found: dict[tuple[str, str], Exercise] = {}
        for _ in range(DRAWS * count if sources else 0):
            if len(found) == count:
                break
            made = _draw(rng.choice(sources), rng, weights, f"exercise-{seed}-{len(found)}")
            if made and made.task.goal != made.source.goal:
                found.setdefault((made.source.id, made.task.goal), made)
        return list(found.values())

    def preview(self, task: Task, action: str) -> Preview:
        """See `Environment`: which calls an action makes; two that call the same are the same."""
        _, calls = read_reply(action)
        if not calls:
            return Preview(result="", error="no tool is called")
        known, made = {function["name"] for function in functions_of(task)}, []
        for call in calls:
            function = call["function"]
            if function["name"] not in known:
                return Preview(result="", error=f"there is no tool {function['name'][:80]!r}")
            try:
                made.append([function["name"], json.loads(function["arguments"])])
            except ValueError:
                return Preview(result="", error=f"the arguments of {function['name'][:80]!r} are no JSON")
        return Preview(result=json.dumps(made, sort_keys=True))

    def exchanges(self, task: Task, answer: str) -> dict[HoleValue, list[HoleValue]]:
        """See `envs.practice.exchanges`. Empty where an argument is free and not in the request: it may follow from one that is."""
        said, calls = read_reply(answer)
        if said or len(calls) != 1:
            return {}
        function = calls[0]["function"]
        schema = next((_parameters(one) for one in functions_of(task) if one["name"] == function["name"]), None)
        try:
            arguments = json.loads(function["arguments"])
        except ValueError:
            return {}
        leaves = list(_leaves(arguments, schema, function["name"])) if isinstance(schema, Mapping) else []
        found: dict[HoleValue, list[HoleValue]] = {}
        for path, value, own in leaves:
            known = _exchange(task, answer, path, value, own)
            if known is None:
                if not (isinstance(value, bool) or value is None or "enum" in own or value == own.get("default", ...)):
                    return {}
            elif known in found:
                return {}
            else:
                found[known] = _others(known, path, value, own)
        return found


def functions_of(task: Task) -> list[FunctionSpecification]:
    """The functions among a task's tools; what has no name is passed over."""
    functions: list[Any] = [tool.get("function") for tool in task.tools if isinstance(tool, Mapping) and tool.get("type") == "function"]
    return [one for one in functions if isinstance(one, Mapping) and isinstance(one.get("name"), str) and one["name"].strip()]  # type: ignore[misc]


def seen_in(text: str) -> tuple[str, ...]:
    """Names and quoted texts of a request.

    >>> seen_in("Ask 'open issues' of Anna Berg in Oslo.")
    ('open issues', 'Anna Berg', 'Oslo')
    """
    return tuple(dict.fromkeys(next(filter(None, match.groups())) for match in _SEEN.finditer(text)))


def _draw(source: Task, rng: random.Random, weights: Mapping[str, float], id: str) -> Exercise | None:
    functions = functions_of(source)
    function = rng.choice(functions)
    try:
        arguments = draw_value(_parameters(function), rng, seen=seen_in(source.goal))
    except NoValue:
        return None
    if not isinstance(arguments, dict) or (not arguments and len(functions) < 2):
        return None
    kind = f"{function['name']}({', '.join(sorted(arguments))})"
    if rng.random() * 2 > weights.get(kind, 1.0):
        return None
    goal = ask_for(function, arguments, rng)
    task = replace(source, id=id, goal=goal, context="", tools=_some_tools(source, function, rng))
    return Exercise(task=task, answer=reply_text("", [tool_call(function["name"], arguments, "")]), template=kind, source=source)


def _some_tools(source: Task, function: FunctionSpecification, rng: random.Random) -> tuple[ToolSpecification, ...]:
    """The tools of a task as far as an adapter can be trained in sight of them: one of them for certain, others drawn."""
    room = MOST_TOOL_TEXT - len(source.instructions)
    kept = [place for place, tool in enumerate(source.tools) if isinstance(tool, Mapping) and tool.get("function") is function]
    for place in rng.sample(range(len(source.tools)), len(source.tools)):
        if place not in kept and len(tools_text([source.tools[one] for one in [*kept, place]])) <= room:
            kept.append(place)
    return tuple(source.tools[place] for place in sorted(kept))


def _parameters(function: FunctionSpecification) -> Any:
    """The schema of the arguments, which are an object."""
    parameters: Any = function.get("parameters")
    return {"type": "object", **(parameters or {})} if parameters is None or isinstance(parameters, Mapping) else parameters


def _leaves(value: Any, schema: Any, path: str) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Every value of an argument that holds no other, with its path and what the schema says of it."""
    own = schema if isinstance(schema, Mapping) else {}
    if isinstance(value, dict):
        properties = own.get("properties")
        for name, inner in value.items():
            yield from _leaves(inner, properties.get(name) if isinstance(properties, Mapping) else None, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, own.get("items"), f"{path}[]")
    else:
        yield path, value, own


def _exchange(task: Task, answer: str, path: str, value: Any, own: Mapping[str, Any]) -> HoleValue | None:
    """An argument that the request names once and the call has once; None where it is not as clear as that."""
    written = json.dumps(value, ensure_ascii=False).strip('"') if isinstance(value, str) else json.dumps(value)
    if isinstance(value, bool) or not written.strip() or (isinstance(value, str) and written != value) or written in task.context:
        return None
    forms = {written, *(say(value, own, random.Random(number)) for number in range(8))}
    said = [form for form in sorted(forms) if is_clear(task.goal, form, 1)]
    if len(said) != 1 or not is_clear(answer, written, 1):
        return None
    return HoleValue(type=_type(path, value, own), said=said[0], written=written)


def _type(path: str, value: Any, own: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return f"{'enum' if 'enum' in own else own.get('format', 'string')} {path}"
    return "integer" if isinstance(value, int) else "number"


def _others(known: HoleValue, path: str, value: Any, own: Mapping[str, Any]) -> list[HoleValue]:
    """What the schema allows in the place of an argument; nothing where it says nothing of what that could be."""
    rng, found = random.Random(path), list[HoleValue]()
    name = path.rpartition(".")[2].removesuffix("[]")
    if isinstance(value, str) and not ("enum" in own or "format" in own or is_known(name, own)):
        return []
    for _ in range(2 * _OTHERS):
        try:
            drawn = draw_value(own or {"type": "integer" if isinstance(value, int) else "number"}, rng, name=name)
        except NoValue:
            return found
        text = drawn if isinstance(drawn, str) else json.dumps(drawn)
        said = text if known.said == known.written else say(drawn, own, rng)
        other = HoleValue(type=_type(path, drawn, own), said=said, written=text)
        if type(drawn) is type(value) and other.type == known.type and text != known.written and other not in found:
            found.append(other)
    return found[:_OTHERS]
