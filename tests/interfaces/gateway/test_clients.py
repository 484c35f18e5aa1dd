"""What clients say of their sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lifelong.interfaces.gateway.clients import hints_of

UUID = "0199c0de-0000-7000-8000-000000000001"


def hints(headers: dict[str, str], body: dict[str, Any] | None = None, instructions: str = "") -> Any:
    return hints_of([(name.encode(), value.encode()) for name, value in headers.items()], body or {}, instructions)


@pytest.mark.parametrize(
    ("headers", "session"),
    [
        ({"X-Lifelong-Session": "mine", "session-id": UUID}, "mine"),
        ({"X-Claude-Code-Session-Id": UUID}, f"claude-code-{UUID}"),
        ({"session-id": UUID, "thread-id": UUID}, f"codex-{UUID}"),
        ({"session_id": UUID}, f"codex-{UUID}"),
        ({"x-session-id": "ses_1", "x-session-affinity": "ses_1"}, "session-ses_1"),
        ({"x-opencode-session": "ses_1"}, "opencode-ses_1"),
        ({"X-OpenWebUI-Chat-Id": UUID}, f"open-webui-{UUID}"),
        ({"X-Qwen-Code-Session-Id": UUID}, f"qwen-code-{UUID}"),
        ({"x-hermes-session-id": UUID}, f"hermes-{UUID}"),
        ({"Helicone-Session-Id": "7"}, "helicone-7"),
        ({"x-unheard-of-session-id": "short"}, ""),
        ({"X-Lifelong-Session": "x" * 500}, ""),
        ({"X-Lifelong-Session": "line\x01"}, ""),
        ({}, ""),
    ],
)
def test_headers(headers: dict[str, str], session: str) -> None:
    assert hints(headers).session == session


@pytest.mark.parametrize(
    ("body", "session"),
    [
        ({"metadata": {"user_id": f"user_1_account_2_session_{UUID}"}}, f"user_id-{UUID}"),
        ({"metadata": {"session_id": "s"}}, "session_id-s"),
        ({"litellm_session_id": "s"}, "litellm_session_id-s"),
        ({"conversation": {"id": "conv_1"}}, "conversation-conv_1"),
        ({"conversation": "conv_1"}, "conversation-conv_1"),
        ({"metadata": None, "conversation": 7}, ""),
        ({"metadata": {"user_id": ["x"]}}, ""),
    ],
)
def test_fields_of_the_body(body: dict[str, Any], session: str) -> None:
    assert hints({}, body).session == session


def test_parents_and_sub_agents() -> None:
    child = hints({"x-session-id": "c", "x-parent-session-id": "p"})
    assert (child.session, child.parent) == ("session-c", "session-p")
    agent = hints({"x-claude-code-session-id": UUID, "x-claude-code-agent-id": "a1"})
    assert (agent.session, agent.parent) == (f"claude-code-{UUID}-a1", f"claude-code-{UUID}")


def test_previous_answers() -> None:
    assert hints({}, {"previous_response_id": "resp_1"}).continues == "resp_1"


def test_what_codex_says_of_a_turn() -> None:
    about = {"turn_id": "t1", "request_kind": "compaction"}
    written = {"x-codex-turn-metadata": json.dumps(about)}
    for named, body in ((written, {}), ({}, {"client_metadata": written})):
        found = hints(named, body)
        assert (found.turn, found.side) == ("codex-t1", True)
    turn = hints({"x-codex-turn-metadata": json.dumps({**about, "request_kind": "turn"})})
    assert (turn.turn, turn.side) == ("codex-t1", False)
    for odd in ("", "{", "[]", "7", json.dumps({"turn_id": 7, "request_kind": ["x"]}), json.dumps({"x": "y" * 20_000})):
        found = hints({"x-codex-turn-metadata": odd}, {"client_metadata": "x"})
        assert (found.turn, found.side) == ("", False)


def test_a_sub_agent_of_codex_has_a_thread_of_its_own() -> None:
    child = hints({"session-id": UUID, "thread-id": "child", "x-codex-parent-thread-id": UUID})
    assert (child.session, child.parent) == ("codex-child", f"codex-{UUID}")
    assert hints({}, {"client_metadata": {"session_id": UUID, "thread_id": "child"}}).session == "codex-child"


def test_side_calls() -> None:
    assert hints({"x-openai-subagent": "compact"}).side
    assert hints({"X-OpenWebUI-Task": "title_generation"}).side
    assert hints({}, {}, "You are a title generator. You generate a brief title.").side
    assert not hints({}, {"tools": [{}]}, "You can generate a title if asked.").side
    assert not hints({}, {}, "You are a helpful assistant.").side
    assert not hints({"x-openai-subagent": "collab_spawn"}).side
    assert hints({}, {"tools": [{}]}, "You are now acting as the managed memory extraction subagent.").side
    assert not hints({}, {"tools": [{}]}, "You may write down what you learn. " * 9 + "See memory extraction.").side


@pytest.mark.parametrize(
    "instructions",
    ["You are a context summarization agent. You are given a text.", "Summarise the conversation below.", "Write the session's summary."],
)
def test_a_summary_is_the_clients_own_where_the_client_names_the_session(instructions: str) -> None:
    assert hints({"x-session-id": "s"}, {}, instructions).side
    assert not hints({"x-session-id": "s"}, {"tools": [{}]}, instructions).side
    assert not hints({"X-Lifelong-Session": "s"}, {}, instructions).side
    assert not hints({}, {}, instructions).side
    assert not hints({"x-session-id": "s"}, {}, "You are a helpful assistant. Keep it short.").side
