"""Python libraries that people build agents with: the same agent in each, pointed at a gateway by its base URL and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from real_clients.workspace import Workspace

PARAMETERS = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"], "additionalProperties": False}
SHELL = {"name": "shell", "description": "Run a command."}
MOST_STEPS = 6

Run = Callable[[str, Workspace, Sequence[str]], list[str]]
"""An agent in one conversation: from the gateway's URL, a workspace and what the user says in turn to what the agent answered."""
Ask = Callable[[list[Any]], tuple[str, list[tuple[str, Any]]]]
"""Extends messages by the model's answer; its text, and its calls as ids with arguments."""


def _loop(ask: Ask, result: Callable[[str, str], Any], workspace: Workspace, prompts: Sequence[str]) -> list[str]:
    """Ask, act and tell, until the model calls no tool; `result` is a tool's result as a message."""
    messages: list[Any] = []
    said = []
    for prompt in prompts:
        messages.append({"role": "user", "content": prompt})
        for _ in range(MOST_STEPS):
            text, calls = ask(messages)
            if not calls:
                said.append(text)
                break
            messages += [result(id, workspace.run(arguments)) for id, arguments in calls]
    return said


def openai_chat(url: str, workspace: Workspace, prompts: Sequence[str], session: str = "") -> list[str]:
    """Streamed chat completions of the SDK `openai`; `session` names the conversation."""
    import openai

    headers = {"X-Lifelong-Session": session} if session else {}
    tools: Any = [{"type": "function", "function": {**SHELL, "parameters": PARAMETERS, "strict": True}}]
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", default_headers=headers) as client:
        assert client.models.list().data[0].id == client.models.retrieve("lifelong").id == "lifelong"

        def ask(messages: list[Any]) -> tuple[str, list[tuple[str, Any]]]:
            about: Any = {"messages": messages, "tools": tools, "stream_options": {"include_usage": True}}
            with client.chat.completions.stream(model="lifelong", **about) as stream:
                whole = stream.get_final_completion()
            assert whole.usage is not None
            assert whole.usage.total_tokens == 25
            message = whole.choices[0].message
            messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
            return message.content or "", [(one.id, json.loads(one.function.arguments)) for one in message.tool_calls or ()]

        return _loop(ask, lambda id, text: {"role": "tool", "tool_call_id": id, "content": text}, workspace, prompts)


def openai_chat_named(url: str, workspace: Workspace, prompts: Sequence[str]) -> list[str]:
    """The same with a session of its own name."""
    return openai_chat(url, workspace, prompts, session="my-session")


def openai_responses(url: str, workspace: Workspace, prompts: Sequence[str], at_server: bool = False) -> list[str]:
    """Streamed Responses of the SDK `openai`, with the history sent again (reasoning items included), or kept at the server."""
    import openai

    tools: Any = [{"type": "function", **SHELL, "parameters": PARAMETERS, "strict": True}]
    previous: list[str] = []
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:

        def ask(items: list[Any]) -> tuple[str, list[tuple[str, Any]]]:
            more: dict[str, Any] = {"store": False, "include": ["reasoning.encrypted_content"]}
            if at_server:
                more = {"store": True, "previous_response_id": previous[-1]} if previous else {"store": True}
            with client.responses.stream(model="lifelong", input=list(items), tools=tools, **more) as stream:
                whole = stream.get_final_response()
            previous.append(whole.id)
            items[:] = [] if at_server else [*items, *(one.model_dump(exclude_none=True) for one in whole.output)]
            calls = [one for one in whole.output if one.type == "function_call"]
            return whole.output_text, [(one.call_id, json.loads(one.arguments)) for one in calls]

        return _loop(ask, lambda id, text: {"type": "function_call_output", "call_id": id, "output": text}, workspace, prompts)


def openai_responses_at_server(url: str, workspace: Workspace, prompts: Sequence[str]) -> list[str]:
    """The same with `previous_response_id`."""
    return openai_responses(url, workspace, prompts, at_server=True)


def anthropic_messages(url: str, workspace: Workspace, prompts: Sequence[str]) -> list[str]:
    """Streamed messages of the SDK `anthropic`, whose tokens are counted before each."""
    import anthropic

    tools: Any = [{**SHELL, "input_schema": PARAMETERS}]
    with anthropic.Anthropic(base_url=url, api_key="none") as client:
        assert client.models.list().data[0].id == client.models.retrieve("lifelong").display_name == "lifelong"

        def ask(messages: list[Any]) -> tuple[str, list[tuple[str, Any]]]:
            about: Any = {"model": "lifelong", "messages": messages, "tools": tools, "system": "Be brief."}
            assert client.messages.count_tokens(**about).input_tokens > 0
            with client.messages.stream(max_tokens=100, **about) as stream:
                whole = stream.get_final_message()
            messages.append({"role": "assistant", "content": [one.model_dump(exclude_none=True) for one in whole.content]})
            text = "".join(one.text for one in whole.content if one.type == "text")
            return text, [(one.id, one.input) for one in whole.content if one.type == "tool_use"]

        def result(id: str, text: str) -> Any:
            return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}

        return _loop(ask, result, workspace, prompts)


def langchain_agent(url: str, workspace: Workspace, prompts: Sequence[str], responses: bool = False) -> list[str]:
    """LangChain's `create_agent` with `ChatOpenAI`, over chat completions or Responses."""
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    def shell(command: str) -> str:
        """Run a command."""
        return workspace.run({"command": command})

    about: Any = {"model": "lifelong", "base_url": f"{url}/v1", "api_key": "none", "streaming": True, "use_responses_api": responses}
    agent = create_agent(ChatOpenAI(**about), [shell], system_prompt="You copy codes.")
    messages: list[Any] = []
    said = []
    for prompt in prompts:
        messages = agent.invoke({"messages": [*messages, {"role": "user", "content": prompt}]})["messages"]
        said.append(messages[-1].text)
    return said


def langchain_agent_over_responses(url: str, workspace: Workspace, prompts: Sequence[str]) -> list[str]:
    """The same over Responses."""
    return langchain_agent(url, workspace, prompts, responses=True)


LIBRARIES: Mapping[str, tuple[Run, str]] = {
    "openai-chat": (openai_chat, "openai"),
    "openai-chat-named": (openai_chat_named, "openai"),
    "openai-responses": (openai_responses, "openai"),
    "openai-responses-at-server": (openai_responses_at_server, "openai"),
    "anthropic": (anthropic_messages, "anthropic"),
    "langchain": (langchain_agent, "langchain_openai"),
    "langchain-responses": (langchain_agent_over_responses, "langchain_openai"),
}
"""Every agent, and the module that it needs."""
