"""OpenAI's responses protocol: what is read of a request, and an answer read from its stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lifelong.core import Reply
from lifelong.interfaces.gateway.protocols.openai_responses import OpenAIResponses

CODEC = OpenAIResponses()
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "shell", "arguments": '{"cmd": "ls"}'}
CONVERSATION: dict[str, Any] = {
    "model": "gpt-x",
    "instructions": "be brief",
    "tools": [{"type": "function", "name": "shell", "parameters": {}, "strict": False}, {"type": "web_search"}],
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "list"}, {"type": "input_text", "text": "files"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I list.", "annotations": []}]},
        CALL,
        {**CALL, "call_id": "call_2"},
        {"type": "function_call_output", "call_id": "call_1", "output": "a.txt"},
        {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "b.txt"}]},
    ],
}


def test_items_become_turns() -> None:
    read = CODEC.parse(CONVERSATION)
    assert [(one["role"], one["content"]) for one in read.messages] == [
        ("system", "be brief"),
        ("system", "rules"),
        ("user", "list\nfiles"),
        ("assistant", "I list."),
        ("tool", "a.txt"),
        ("tool", "b.txt"),
    ]
    assert [call["id"] for call in read.messages[3]["tool_calls"]] == ["call_1", "call_2"]
    assert read.sources == (-1, 0, 1, 3, 6, 7)
    assert [tool["function"]["name"] for tool in read.tools] == ["shell"]


def test_a_text_alone_and_a_picture() -> None:
    assert CODEC.parse({"input": "hello"}).messages == ({"role": "user", "content": "hello"},)
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    assert CODEC.parse({"input": [{"role": "user", "content": [image]}]}).messages[0]["content"] == [image]


@pytest.mark.parametrize(
    ("call", "name", "arguments"),
    [
        ({"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin Patch"}, "apply_patch", "*** Begin Patch"),
        ({"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}}, "local_shell", '{"type": "exec", "command": ["ls"]}'),
        ({"type": "shell_call", "action": {"commands": ["ls"]}}, "shell", '{"commands": ["ls"]}'),
        ({"type": "apply_patch_call", "operation": {"type": "delete_file"}}, "apply_patch", '{"type": "delete_file"}'),
        ({"type": "function_call", "name": "wait", "namespace": "agents", "arguments": ""}, "wait", ""),
    ],
)
def test_whatever_the_client_runs_is_a_call_with_a_result(call: dict[str, Any], name: str, arguments: str) -> None:
    result = {"type": f"{call['type']}_output", "call_id": "call_1", "output": [{"stdout": "a.txt", "outcome": {"exit_code": 0}}]}
    read = CODEC.parse({"input": [{"role": "user", "content": "x"}, {**call, "call_id": "call_1"}, result]})
    assert [one["role"] for one in read.messages] == ["user", "assistant", "tool"]
    assert read.messages[1]["tool_calls"] == [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}]
    assert json.loads(str(read.messages[2]["content"]))[0]["stdout"] == "a.txt"


@pytest.mark.parametrize(
    "kind", ["web_search_call", "file_search_call", "mcp_call", "image_generation_call", "item_reference", "compaction"]
)
def test_what_the_server_runs_and_what_it_keeps_is_no_turn(kind: str) -> None:
    assert len(CODEC.parse({"input": [{"role": "user", "content": "x"}, {"type": kind, "id": "x_1", "action": {}}]}).messages) == 1


def test_tools_in_a_namespace_are_tools() -> None:
    inner = [{"type": "function", "name": "wait"}, {"type": "custom", "name": "patch", "format": {"type": "text"}}]
    read = CODEC.parse({"input": "x", "tools": [{"type": "namespace", "name": "agents", "tools": inner}, {"type": "web_search"}, {}]})
    assert [one["function"]["name"] for one in read.tools] == ["wait", "patch"]


@pytest.mark.parametrize(
    "last", [{"id": "resp_1", "usage": None}, {"id": "resp_1", "object": "response", "status": "completed", "output": []}]
)
def test_a_last_event_without_items_is_completed_by_those_before(last: dict[str, Any]) -> None:
    reader = CODEC.read_stream()
    for item in CONVERSATION["input"][2:6]:
        assert not reader.take("", json.dumps({"type": "response.output_item.done", "item": item}))
    assert reader.take("", json.dumps({"type": "response.completed", "response": last}))
    answer = reader.answer()
    assert answer is not None
    assert (answer.id, answer.complete) == ("resp_1", True)
    assert answer.message == CODEC.parse(CONVERSATION).messages[3]


def response(status: str = "completed") -> dict[str, Any]:
    output = CONVERSATION["input"][2:6]
    return {"id": "resp_1", "object": "response", "status": status, "output": output, "usage": {"input_tokens": 5, "output_tokens": 7}}


@pytest.mark.parametrize(("status", "complete"), [("completed", True), ("incomplete", True), ("failed", False)])
def test_the_last_event_holds_the_answer(status: str, complete: bool) -> None:
    reader = CODEC.read_stream()
    assert not reader.take("response.created", json.dumps({"type": "response.created", "response": response("in_progress")}))
    assert not reader.take("", "half {")
    assert reader.answer() is None
    assert reader.take(f"response.{status}", json.dumps({"type": f"response.{status}", "response": response(status)}))
    answer = reader.answer()
    assert answer is not None
    assert (answer.id, answer.complete, answer.usage.tokens) == ("resp_1", complete, 12)
    assert answer.message == CODEC.parse(CONVERSATION).messages[3]


def test_an_error_ends_a_stream_without_an_answer() -> None:
    reader = CODEC.read_stream()
    assert reader.take("error", '{"type": "error", "message": "x"}')
    assert reader.answer() is None
    assert CODEC.read_reply({"object": "error"}) is None
    assert CODEC.read_reply({"object": "response", "output": 7}) is None


def test_events_are_numbered_and_end_as_the_answer_did() -> None:
    reply = Reply(id="r", text="word " * 20, model="m", created=1, cut=True)
    conversation = CODEC.parse({"input": "x", "stream": True})
    payloads = [json.loads(event.split("data: ", 1)[1]) for event in CODEC.stream(reply, conversation)]
    assert [one["sequence_number"] for one in payloads] == list(range(len(payloads)))
    assert payloads[0]["type"] == "response.created"
    assert payloads[-1]["type"] == "response.incomplete"
    assert payloads[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
