"""Responses and Anthropic's messages through a running gateway: passed on, put together into runs, with memory beside the user's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_gateway import EchoEngine, RunningGateway
from scripted_upstream import MODEL, ScriptedUpstream


class Script:
    """Speaks both protocols: calls a tool for what begins with `look up`, else repeats what was said last."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, path: str, body: dict[str, Any]) -> Any:
        self.count += 1
        if path.startswith("/v1/messages/count_tokens"):
            return {"input_tokens": 7}
        return self.message(body) if path.startswith("/v1/messages") else self.response(body)

    def message(self, body: dict[str, Any]) -> Any:
        content = body["messages"][-1]["content"]
        text = content if isinstance(content, str) else str(content[0].get("text") or content[0].get("content"))
        block: dict[str, Any] = {"type": "text", "text": f"I repeat: {text}"}
        if text.startswith("look up"):
            block = {"type": "tool_use", "id": f"toolu_{self.count}", "name": "look", "input": {"q": "x"}}
        return {
            "id": f"msg_{self.count}",
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": "end_turn",
            "usage": {},
        }

    def response(self, body: dict[str, Any]) -> Any:
        last = body["input"] if isinstance(body["input"], str) else body["input"][-1]
        text = last if isinstance(last, str) else str(last.get("content") or last.get("output"))
        item: dict[str, Any] = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": f"I repeat: {text}"}]}
        if text.startswith("look up"):
            item = {"type": "function_call", "call_id": f"call_{self.count}", "name": "look", "arguments": "{}"}
        whole = {"id": f"resp_{self.count}", "object": "response", "status": "completed", "model": MODEL, "output": [item], "usage": {}}
        if not body.get("stream"):
            return whole
        begun = {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}
        ended = {"type": "response.completed", "response": whole}
        return [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in (begun, ended)]


@pytest.fixture
def script() -> Script:
    return Script()


def episodes(gateway: RunningGateway) -> list[dict[str, Any]]:
    [session] = httpx.get(f"{gateway.url}/v1/lifelong/sessions").json()["data"]
    found: list[dict[str, Any]] = httpx.get(f"{gateway.url}/v1/lifelong/sessions/{session['id']}").json()["episodes"]
    return found


RUN = [["observation", "action", "tool_result", "action"], ["observation", "action"]]


def types(gateway: RunningGateway) -> list[list[str]]:
    return [[step["type"] for step in one["steps"]] for one in episodes(gateway)]


def test_a_run_over_anthropics_messages(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "look up the file"}]
    for said in ({"type": "tool_result", "content": "found"}, {"type": "text", "text": "thank you"}, None):
        body = {"model": "lifelong", "max_tokens": 9, "system": "be brief", "messages": messages}
        answer = gateway.post("/v1/messages?beta=true", body, **{"anthropic-version": "2023-06-01", "anthropic-beta": "x"}).json()
        path, headers, raw = upstream.seen[-1]
        assert (path, headers["anthropic-version"], headers["anthropic-beta"]) == ("/v1/messages?beta=true", "2023-06-01", "x")
        assert json.loads(raw) == {**body, "model": MODEL}
        if said:
            call = answer["content"][0].get("id")
            messages = [*messages, {"role": "assistant", "content": answer["content"]}]
            messages.append({"role": "user", "content": [{**said, **({"tool_use_id": call} if call else {})}]})
    assert types(gateway) == RUN
    counted = gateway.post("/v1/messages/count_tokens", {"model": "m", "messages": messages})
    assert counted.json() == {"input_tokens": 7}


def test_a_run_over_responses_with_the_history_sent_again(gateway: RunningGateway) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    items: list[Any] = [{"role": "user", "content": "look up the file"}]
    first = client.responses.create(model="lifelong", input=items)
    items += [one.model_dump(exclude_none=True) for one in first.output]
    items.append({"type": "function_call_output", "call_id": first.output[0].call_id, "output": "found"})  # type: ignore[union-attr]
    with client.responses.stream(model="lifelong", input=items) as stream:
        assert [event.type for event in stream] == ["response.created", "response.completed"]
    items += [{"role": "assistant", "content": "I repeat: found"}, {"role": "user", "content": "thank you"}]
    client.responses.create(model="lifelong", input=items)
    assert types(gateway) == RUN


def test_a_run_over_responses_with_the_history_at_the_server(gateway: RunningGateway) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
    first = client.responses.create(model="lifelong", input="look up the file")
    result: Any = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "found"}  # type: ignore[union-attr]
    second = client.responses.create(model="lifelong", input=[result], previous_response_id=first.id)
    client.responses.create(model="lifelong", input="thank you", previous_response_id=second.id)
    assert types(gateway) == RUN


def test_what_was_corrected_stands_beside_the_users_words_in_every_protocol(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    for number in range(12):
        asked = gateway.post("/v1/responses", {"input": f"summarise report number {number % 6} for the sales team"}).json()
        gateway.post("/feedback", {"episode_id": asked["id"], "success": False, "correction": "in one table"})
    question = "summarise report number 3 for the sales team"
    gateway.post("/v1/responses", {"input": question})
    assert upstream.bodies[-1]["input"].startswith(f"{question}\n<memory>")
    marked = {"type": "text", "text": question, "cache_control": {"type": "ephemeral"}}
    system = [{"type": "text", "text": "attribution"}]
    gateway.post("/v1/messages", {"system": system, "messages": [{"role": "user", "content": [marked]}]})
    sent = upstream.bodies[-1]
    assert sent["system"] == system
    assert sent["messages"][0]["content"][0] == marked
    assert "in one table" in sent["messages"][0]["content"][1]["text"]


def test_an_engine_here_answers_in_every_protocol(tmp_path: Path) -> None:
    import anthropic
    import openai

    gateway = RunningGateway(tmp_path, EchoEngine())
    try:
        claude = anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0)
        asked: Any = [{"role": "user", "content": "hello"}]
        message = claude.messages.create(model="lifelong", max_tokens=99, messages=asked)
        assert (message.content[0].text, message.stop_reason) == ("HELLO", "end_turn")  # type: ignore[union-attr]
        with claude.messages.stream(model="lifelong", max_tokens=3, messages=asked) as events:
            final = events.get_final_message()
        assert (final.content[0].text, final.stop_reason) == ("HEL", "max_tokens")  # type: ignore[union-attr]
        client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)
        assert client.responses.create(model="lifelong", input="hello").output_text == "HELLO"
        with client.responses.stream(model="lifelong", input="hello again") as stream:
            assert stream.get_final_response().output_text == "HELLO AGAIN"
        assert [one.id for one in claude.models.list()] == ["lifelong", "echo"]
        assert claude.models.retrieve("echo").display_name == "echo"
        refused = gateway.post("/v1/messages", {"messages": []})
        assert (refused.status_code, refused.json()["type"]) == (400, "error")
    finally:
        gateway.close()
