"""Libraries that people use, pointed at `lifelong serve` by their base URL and nothing else: an agent's loop with tools in each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from real_clients.scripted_model import DONE, FOLLOW_UP, GOODBYE, PROMPT
from real_clients.served import Served, call_ids
from real_clients.workspace import Workspace

pytestmark = pytest.mark.slow

PARAMETERS = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"], "additionalProperties": False}
SHELL = {"name": "shell", "description": "Run a command."}
MOST_STEPS = 6


def check(served: Served, workspace: Workspace, said: list[str], session: str) -> None:
    """The code was copied, and what was recorded: one session of two episodes, each turn in it once, each call with its result."""
    assert said == [f"{DONE} {workspace.code}", GOODBYE]
    assert workspace.copied
    assert served.sessions() == [session] if session else len(served.sessions()) == 1
    episodes = served.episodes(served.sessions()[0])
    assert [[step["type"] for step in one["steps"]] for one in episodes] == [
        ["observation", "action", "tool_result", "action", "tool_result", "action"],
        ["observation", "action"],
    ]
    calls, results = call_ids(episodes)
    assert calls == results
    assert len(set(calls)) == 2
    assert workspace.code in episodes[0]["steps"][2]["text"]
    assert [one["task"] for one in episodes] == [PROMPT, FOLLOW_UP]


def loop(ask: Callable[[list[Any]], tuple[str, list[tuple[str, Any]]]], take: Callable[[str, str], Any], workspace: Workspace) -> list[str]:
    """Two turns of a user; `ask` extends the messages by the answer and returns its text and calls, `take` is a result as a message."""
    messages: list[Any] = []
    said = []
    for prompt in (PROMPT, FOLLOW_UP):
        messages.append({"role": "user", "content": prompt})
        for _ in range(MOST_STEPS):
            text, calls = ask(messages)
            if not calls:
                said.append(text)
                break
            messages += [take(id, workspace.run(arguments)) for id, arguments in calls]
    return said


@pytest.mark.parametrize("session", ["", "my-session"])
def test_openai_chat_completions(served: Served, workspace: Workspace, session: str) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", default_headers={"X-Lifelong-Session": session} if session else {})
    tools: Any = [{"type": "function", "function": {**SHELL, "parameters": PARAMETERS, "strict": True}}]
    assert client.models.list().data[0].id == "lifelong"
    assert client.models.retrieve("lifelong").id == "lifelong"

    def ask(messages: list[Any]) -> tuple[str, list[tuple[str, Any]]]:
        with client.chat.completions.stream(
            model="lifelong", messages=messages, tools=tools, stream_options={"include_usage": True}
        ) as stream:
            for _ in stream:
                pass
            whole = stream.get_final_completion()
        assert whole.usage is not None
        assert whole.usage.total_tokens == 25
        message = whole.choices[0].message
        messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        return message.content or "", [(one.id, json.loads(one.function.arguments)) for one in message.tool_calls or ()]

    said = loop(ask, lambda id, text: {"role": "tool", "tool_call_id": id, "content": text}, workspace)
    check(served, workspace, said, session)


@pytest.mark.parametrize("at_server", [False, True])
def test_openai_responses(served: Served, workspace: Workspace, at_server: bool) -> None:
    """With the history sent again, reasoning items included, and with `previous_response_id`."""
    import openai

    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="none")
    tools: Any = [{"type": "function", **SHELL, "parameters": PARAMETERS, "strict": True}]
    previous: list[str] = []

    def ask(items: list[Any]) -> tuple[str, list[tuple[str, Any]]]:
        more: dict[str, Any] = {"store": False, "include": ["reasoning.encrypted_content"]}
        if at_server:
            more = {"store": True, "previous_response_id": previous[-1]} if previous else {"store": True}
        with client.responses.stream(model="lifelong", input=list(items), tools=tools, **more) as stream:
            for _ in stream:
                pass
            whole = stream.get_final_response()
        previous.append(whole.id)
        items[:] = [] if at_server else [*items, *(one.model_dump(exclude_none=True) for one in whole.output)]
        calls = [one for one in whole.output if one.type == "function_call"]
        return whole.output_text, [(one.call_id, json.loads(one.arguments)) for one in calls]

    said = loop(ask, lambda id, text: {"type": "function_call_output", "call_id": id, "output": text}, workspace)
    check(served, workspace, said, "")


def test_anthropic_messages(served: Served, workspace: Workspace) -> None:
    import anthropic

    client = anthropic.Anthropic(base_url=served.url, api_key="none")
    tools: Any = [{**SHELL, "input_schema": PARAMETERS}]
    assert client.models.list().data[0].id == "lifelong"
    assert client.models.retrieve("lifelong").display_name == "lifelong"

    def ask(messages: list[Any]) -> tuple[str, list[tuple[str, Any]]]:
        about: Any = {"model": "lifelong", "messages": messages, "tools": tools, "system": "Be brief."}
        assert client.messages.count_tokens(**about).input_tokens > 0
        with client.messages.stream(max_tokens=100, **about) as stream:
            whole = stream.get_final_message()
        messages.append({"role": "assistant", "content": [one.model_dump(exclude_none=True) for one in whole.content]})
        text = "".join(one.text for one in whole.content if one.type == "text")
        return text, [(one.id, one.input) for one in whole.content if one.type == "tool_use"]

    def take(id: str, text: str) -> Any:
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}

    check(served, workspace, loop(ask, take, workspace), "")


@pytest.mark.parametrize("responses", [False, True])
def test_langchain_agent(served: Served, workspace: Workspace, responses: bool) -> None:
    agents = pytest.importorskip("langchain.agents")
    openai = pytest.importorskip("langchain_openai")

    def shell(command: str) -> str:
        """Run a command."""
        return workspace.run({"command": command})

    model = openai.ChatOpenAI(
        model="lifelong", base_url=f"{served.url}/v1", api_key="none", streaming=True, use_responses_api=responses
    )
    agent = agents.create_agent(model, [shell], system_prompt="You copy codes.")
    messages: list[Any] = []
    said = []
    for prompt in (PROMPT, FOLLOW_UP):
        messages = agent.invoke({"messages": [*messages, {"role": "user", "content": prompt}]})["messages"]
        said.append(messages[-1].text)
    check(served, workspace, said, "")
