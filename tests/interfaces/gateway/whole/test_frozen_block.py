"""What memory showed stands at the same place in every later request of a session, byte by byte; what comes later stands behind it."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import httpx
import pytest
from running_gateway import RunningGateway
from scripted_upstream import MODEL, Script, ScriptedUpstream, completion

from lifelong.core import Lesson, LessonStatus

QUESTION = "summarise report number 3 for the sales team"
ERROR = "Error: no such column: amount2"
LESSON = "Answers failed with “Error: no such column”. Compare every name with those that are given."


class Chat:
    path, member = "/v1/chat/completions", "messages"

    def script(self, path: str, body: dict[str, Any]) -> Any:
        called = not any(one["role"] == "tool" for one in body["messages"]) and body.get("tools")
        call = {"id": "c1", "type": "function", "function": {"name": "query", "arguments": "{}"}}
        answer = completion(None, tool_calls=[call]) if called else completion("done")
        answer["usage"] = {"prompt_tokens": 100, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 40}}
        return answer

    def body(self, *turns: Any) -> dict[str, Any]:
        tools = [{"type": "function", "function": {"name": "query", "parameters": {"type": "object"}}}]
        return {"model": MODEL, "tools": tools, "messages": [{"role": "system", "content": "be brief"}, *turns]}

    def user(self, text: str) -> list[Any]:
        return [{"role": "user", "content": text}]

    def answer(self, reply: dict[str, Any]) -> list[Any]:
        return [reply["choices"][0]["message"]]

    def result(self, text: str) -> list[Any]:
        return [{"role": "tool", "tool_call_id": "c1", "content": text}]


class Responses:
    path, member = "/v1/responses", "input"

    def script(self, path: str, body: dict[str, Any]) -> Any:
        called = isinstance(body["input"], list) and not any(one.get("type") == "function_call_output" for one in body["input"])
        item: dict[str, Any] = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]}
        if called and body.get("tools"):
            item = {"type": "function_call", "call_id": "c1", "name": "query", "arguments": "{}"}
        usage = {"input_tokens": 100, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 40}}
        return {"id": "resp", "object": "response", "status": "completed", "output": [item], "usage": usage}

    def body(self, *turns: Any) -> dict[str, Any]:
        tools = [{"type": "function", "name": "query", "parameters": {"type": "object"}}]
        return {"model": MODEL, "instructions": "be brief", "tools": tools, "input": list(turns)}

    def user(self, text: str) -> list[Any]:
        return [{"role": "user", "content": [{"type": "input_text", "text": text}]}]

    def answer(self, reply: dict[str, Any]) -> list[Any]:
        return [{"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}, *reply["output"]]

    def result(self, text: str) -> list[Any]:
        return [{"type": "function_call_output", "call_id": "c1", "output": text}]


class Messages:
    path, member = "/v1/messages", "messages"

    def script(self, path: str, body: dict[str, Any]) -> Any:
        block: dict[str, Any] = {"type": "text", "text": "done"}
        if "tool_result" not in json.dumps(body["messages"]) and body.get("tools"):
            block = {"type": "tool_use", "id": "c1", "name": "query", "input": {}}
        usage = {"input_tokens": 60, "cache_read_input_tokens": 40, "output_tokens": 2}
        content = [{"type": "thinking", "thinking": "hm", "signature": "s"}, block]
        return {"id": "msg", "type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn", "usage": usage}

    def body(self, *turns: Any) -> dict[str, Any]:
        system = [{"type": "text", "text": "attribution"}, {"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]
        tools = [{"name": "query", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}]
        thinking = {"type": "enabled", "budget_tokens": 1024}
        return {"model": MODEL, "max_tokens": 9, "system": system, "tools": tools, "thinking": thinking, "messages": list(turns)}

    def user(self, text: str) -> list[Any]:
        return [{"role": "user", "content": [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]}]

    def answer(self, reply: dict[str, Any]) -> list[Any]:
        return [{"role": "assistant", "content": reply["content"]}]

    def result(self, text: str) -> list[Any]:
        content = [{"type": "tool_result", "tool_use_id": "c1", "content": text, "cache_control": {"type": "ephemeral"}}]
        return [{"role": "user", "content": content}]


@pytest.fixture(params=[Chat, Responses, Messages], ids=["chat", "responses", "messages"])
def protocol(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def script(protocol: Any) -> Script:
    return protocol.script


def taught(gateway: RunningGateway) -> None:
    """What a request like `QUESTION` recalls."""
    for number in range(12):
        asked = {"model": MODEL, "messages": [{"role": "user", "content": f"summarise report number {number % 6} for the sales team"}]}
        id = gateway.post("/v1/chat/completions", asked).headers["x-lifelong-episode"]
        gateway.post("/feedback", {"episode_id": id, "success": False, "correction": "in one table"})


def sent_beside(raw: bytes, member: str) -> tuple[str, str]:
    """The conversation as it went out, without the bracket that ends it, and all that stands before it."""
    before, _, rest = raw.decode().partition(f'"{member}":[')
    return rest.rpartition("]")[0], before


def test_the_prefix_of_a_session_is_the_same_bytes_for_its_life(gateway: RunningGateway, upstream: ScriptedUpstream, protocol: Any) -> None:
    script = upstream.script
    upstream.script = Chat().script
    taught(gateway)
    upstream.script = script
    turns: list[Any] = protocol.user(QUESTION)
    headers = {"x-session-id": "one"}

    def post() -> dict[str, Any]:
        answer: dict[str, Any] = gateway.post(protocol.path, protocol.body(*turns), **headers).json()
        return answer

    first = post()
    assert b"in one table" in upstream.seen[-1][2], "memory stands beside the first message"
    # Learned meanwhile, and nothing to do with the question.
    evidence = gateway.record.episodes.find(tenant="default", limit=1)[0]
    lesson = Lesson(id="late", tenant="default", skill="chat", text=LESSON, episodes=(evidence.id,), status=LessonStatus.ACTIVE)
    gateway.record.lessons.record(lesson)
    turns += [*protocol.answer(first), *protocol.result(ERROR)]
    second = post()
    post()
    turns += [*protocol.answer(second), *protocol.user("thank you, now the next")]
    post()
    bodies = [raw for _, _, raw in upstream.seen[-4:]]
    sent = [sent_beside(raw, protocol.member) for raw in bodies]
    assert "no such column”" not in sent[0][0]
    assert "no such column”" in sent[1][0].rpartition(ERROR)[2], "the lesson stands behind the step that it warns of"
    assert sent[1] == sent[2], "the same request again is the same bytes"
    for (earlier, before), (later, before_later) in pairwise(sent):
        assert later.startswith(earlier), "what was sent stands there again, byte by byte"
        assert before == before_later, "nothing changes in front of the conversation"
    for raw in bodies:
        assert b"<memory>" not in raw[: raw.index(b'"be brief"')], "nothing of memory in a system prompt"
    marks = json.dumps(protocol.body(*turns)).count("cache_control")
    assert bodies[-1].count(b"cache_control") == marks, "marks stay as they were"
    if protocol.path == "/v1/messages":
        assistants = [one["content"] for one in json.loads(bodies[-1])["messages"] if one["role"] == "assistant"]
        assert all(content[0]["type"] == "thinking" for content in assistants)
    lines = httpx.get(f"{gateway.url}/metrics").text.splitlines()
    figures = dict(line.split(" ") for line in lines if not line.startswith("#"))
    read, cached = (float(figures[f"lifelong_{name}"]) for name in ("prompt_tokens_total", "cached_prompt_tokens_total"))
    assert cached / read == 0.4
    [session] = [one for one in httpx.get(f"{gateway.url}/v1/lifelong/sessions").json()["data"] if one["id"] == "session-one"]
    episodes = httpx.get(f"{gateway.url}/v1/lifelong/sessions/{session['id']}").json()["episodes"]
    assert [step["type"] for step in episodes[0]["steps"]] == ["observation", "recall", "action", "tool_result", "recall", "action"]
    assert episodes[0]["lessons"][-1] == "late"
