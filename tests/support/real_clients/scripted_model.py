"""A model by script that works with any agent's shell tool: it asks for a file to be read, then for its code to be written elsewhere.

It knows nothing but the request, so the marker file holds the right code only if every tool call reached the agent and every result
came back. It speaks chat completions, Responses and Anthropic's messages, streamed or not.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from real_clients import dialects
from real_clients.dialects import Call, Request

PROMPT = "Read code.txt and copy the code in it into the file marker.txt."
"""What the agent is asked; no model is needed to understand it."""
DELEGATION = "Let a sub-agent do this: "
"""What stands before the prompt where the agent shall not do the task itself."""
FOLLOW_UP = "Thank you. Say goodbye."
"""A second turn, without tools."""
DONE = "The code was copied:"
GOODBYE = "Goodbye."
CODE = re.compile(r"code-[0-9a-f]{12}")
TASK = re.compile(r"copy the code in it into the file marker\.txt")
RECALLED = re.compile(r"<memory>.*?</memory>", re.DOTALL)
"""What memory adds to the user's words; it may hold an earlier task."""
SPAWNERS = ("task", "spawn_agent", "agent")
"""Tools that begin a sub-agent."""
FILLINGS = {"subagent_type": "general"}
"""Required arguments that must be one of a list that stands in a description."""
AGENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
MOST_WAITS = 6
SHELL = re.compile("shell|bash|exec|run", re.IGNORECASE)
"""How agents name their shell, where several tools take a command."""
SHELL_ARGUMENTS = ("command", "cmd", "commands", "script")
"""How agents name the text that their shell runs."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request as the model saw it, and what it answered."""

    path: str
    """Where it was posted."""
    body: dict[str, Any]
    """The decoded body."""
    answer: Call | str
    """A call of a tool, or a text."""
    id: str
    """What its ids were made of."""


class ScriptedModel:
    """A `Script` of `ScriptedUpstream`; `exchanges` holds everything it was asked. Called from several threads."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.refusals = 0
        """How many of the next requests are refused for a second, as by a server that is busy."""
        self._kept: dict[str, list[Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, path: str, body: dict[str, Any]) -> Any:
        if path.startswith("/v1/messages/count_tokens"):
            return {"input_tokens": len(json.dumps(body)) // 4}
        with self._lock:
            refused, self.refusals = self.refusals > 0, max(0, self.refusals - 1)
        if refused:
            return 503, {"Retry-After": "1"}, b'{"error": {"message": "busy", "type": "service_unavailable"}}'
        dialect = dialects.of(path)
        answer, id = decide(dialect.read(self._with_history(body))), secrets.token_hex(8)
        with self._lock:
            self.exchanges.append(Exchange(path=path, body=body, answer=answer, id=id))
        if body.get("store"):
            whole = dialect.write({**body, "stream": False}, answer, id)
            self._kept[whole["id"]] = [*self._with_history(body)["input"], *whole["output"]]
        return dialect.write(body, answer, id)

    def _with_history(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with what stands before it, where the history is kept here."""
        before = self._kept.get(body.get("previous_response_id") or "", [])
        return {**body, "input": [*before, *body["input"]]} if before else body


def decide(request: Request) -> Call | str:
    """The next call of the task that the conversation names last, or what is said when it is done."""
    newest = RECALLED.sub("", request.newest)
    if not TASK.search(newest):
        return GOODBYE if request.tools else "A short title"
    if DELEGATION in newest:
        return _delegated(request)
    likely = sorted(request.tools, key=lambda name: not SHELL.search(name))
    shell = next(filter(None, (_shell(name, request.tools[name]) for name in likely)), None)
    if shell is None:
        return f"There is no shell among the tools: {', '.join(request.tools)}"
    if not request.results:
        return _call(shell, "cat code.txt")
    found = CODE.search(request.results[0])
    if not found:
        return f"The result of the first call did not come back, but: {request.results[0][:200]!r}"
    if len(request.results) == 1:
        return _call(shell, f"printf %s {found[0]} > marker.txt && echo written")
    return f"{DONE} {found[0]}"


def _delegated(request: Request) -> Call | str:
    """The task is handed to a sub-agent, waited for where the agent does not wait by itself, and its answer repeated."""
    found = next(filter(None, map(CODE.search, request.results)), None)
    if found:
        return f"{DONE} {found[0]}"
    if len(request.results) >= MOST_WAITS:
        return f"The sub-agent said nothing: {request.results[-1][:200]!r}"
    waits = "wait_agent" in request.tools and bool(request.results)
    name = "wait_agent" if waits else next((name for name in SPAWNERS if name in request.tools), "")
    if not name or (request.results and not waits):
        return f"There is nobody to hand it to among {', '.join(request.tools)}: {request.results[-1:]}"
    schema = request.tools[name]
    if waits:
        agents = AGENT_ID.findall(request.results[0])
        return Call(name=name, arguments={"targets": agents, "timeout_ms": 20_000})
    arguments = {one: FILLINGS.get(one) or _filling(schema["properties"].get(one, {})) for one in schema.get("required", ())}
    given = next(one for one in ("prompt", "task", "message") if one in schema["properties"])
    return Call(name=name, arguments={**arguments, given: PROMPT})


def _shell(name: str, schema: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]] | None:
    """A tool that runs commands: its name, the argument that holds the command, its schema."""
    argument = next((one for one in SHELL_ARGUMENTS if one in schema.get("properties", {})), None)
    return (name, argument, schema) if argument else None


def _call(shell: tuple[str, str, Mapping[str, Any]], command: str) -> Call:
    name, argument, schema = shell
    others = [one for one in schema.get("required", ()) if one != argument]
    arguments: dict[str, Any] = {one: _filling(schema["properties"].get(one, {})) for one in others}
    return Call(name=name, arguments={argument: _as(schema["properties"][argument], command), **arguments})


def _as(schema: Mapping[str, Any], command: str) -> Any:
    """The command in the form that the tool takes it in: a text, or a list."""
    kinds = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if any(one.get("type") == "string" for one in kinds):
        return command
    items = next((one.get("items", {}) for one in kinds if one.get("type") == "array"), {})
    if items.get("type", "string") == "string":
        return ["bash", "-lc", command] if "argv" in json.dumps(schema).lower() else [command]
    return [dict.fromkeys(items.get("required", ()), command)]


def _filling(schema: Mapping[str, Any]) -> Any:
    """A value of a required argument that does not matter."""
    if schema.get("enum"):
        return schema["enum"][0]
    return {"boolean": False, "integer": 10_000, "number": 10_000, "array": [], "object": {}}.get(str(schema.get("type")), "copy a code")
