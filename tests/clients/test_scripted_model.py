"""The scripted model asks for a file, then writes what was in it, and neither without the result of the call before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from real_clients.dialects import Call, Request
from real_clients.scripted_model import DONE, GOODBYE, PROMPT, ScriptedModel, decide

SHELL = {"properties": {"command": {"type": "string"}, "why": {"type": "string"}}, "required": ["command", "why"]}


def request(*results: str, newest: str = PROMPT, tools: Any = None) -> Request:
    return Request(tools={"edit": {}, "shell": SHELL} if tools is None else tools, newest=newest, results=results)


def test_each_step_needs_the_one_before() -> None:
    first = decide(request())
    assert isinstance(first, Call)
    assert (first.name, first.arguments["command"]) == ("shell", "cat code.txt")
    assert set(first.arguments) == {"command", "why"}
    second = decide(request("The code is code-0123456789ab."))
    assert isinstance(second, Call)
    assert "code-0123456789ab > marker.txt" in second.arguments["command"]
    assert decide(request("code-0123456789ab", "written")) == f"{DONE} code-0123456789ab"
    assert "did not come back" in str(decide(request("(nothing)")))
    assert decide(request(newest="Goodbye?")) == GOODBYE
    assert "no shell" in str(decide(request(tools={"edit": {}})))
    assert decide(request(newest="Goodbye?", tools={})) == "A short title"


@pytest.mark.parametrize("kind", [{"type": "string"}, {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}])
def test_a_command_is_a_text_where_that_is_taken(kind: Any) -> None:
    found = decide(request(tools={"run": {"properties": {"cmd": kind}}}))
    assert isinstance(found, Call)
    assert found.arguments == {"cmd": "cat code.txt"}


def test_it_may_be_busy_for_a_moment() -> None:
    model = ScriptedModel()
    model.refusals = 1
    body = {"messages": [{"role": "user", "content": "hello"}]}
    assert model("/v1/chat/completions", body)[0] == 503
    assert model("/v1/chat/completions", body)["choices"][0]["message"]["content"] == "A short title"
    assert len(model.exchanges) == 1


@pytest.mark.parametrize("stream", [True, False])
def test_every_protocol_says_the_same(stream: bool) -> None:
    model = ScriptedModel()
    tools: dict[str, Any] = {
        "/v1/chat/completions": {"type": "function", "function": {"name": "shell", "parameters": SHELL}},
        "/v1/responses": {"type": "function", "name": "shell", "parameters": SHELL},
        "/v1/messages": {"name": "shell", "input_schema": SHELL},
    }
    for path, tool in tools.items():
        said = [{"role": "user", "content": PROMPT}]
        answered = model(path, {"messages": said, "input": said, "tools": [tool], "stream": stream})
        whole = b"".join(answered).decode() if stream else json.dumps(answered)
        assert "shell" in whole
        assert model.exchanges[-1].answer == model.exchanges[0].answer
    assert len(model.exchanges) == 3
