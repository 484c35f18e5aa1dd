"""An engine of ours behind every protocol: streams in the protocol's own order, tools that are called and answered, runs that are kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anthropic
import httpx
import pytest
from running_gateway import EchoEngine, RunningGateway

from lifelong.core import Cancelled, EngineUnreachable, check_cancelled
from lifelong.core.settings import GatewaySettings
from lifelong.serving import ChatPiece, ChatReply, ChatRequest, EmbeddedEngine

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}}
ANTHROPIC_TOOL = {"name": "look", "description": "look up", "input_schema": SCHEMA}
RESPONSES_TOOL: Any = {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}
QUESTION = {"role": "user", "content": "call look the file"}


class HaltingEngine(EchoEngine):
    """Says two words; before the second it waits until it may go on, and fails where it should."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.fails = False

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield ChatPiece(text="ONE ")
        self.go_on.wait(60)
        if self.fails:
            raise EngineUnreachable("the model is gone; start it again")
        yield ChatPiece(text="TWO")
        yield ChatPiece(reply=self.reply(request))


@pytest.fixture
def claude(gateway: RunningGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    opened = RunningGateway(tmp_path, EchoEngine(), GatewaySettings(deadline_ms=5000))
    yield opened
    opened.close()


def steps(gateway: RunningGateway) -> list[list[str]]:
    [session] = gateway.learner.runs.sessions()
    return [[step.name for step in one.steps] for one in gateway.learner.runs.session(session.id)]


def test_anthropics_sdk_streams_a_call_of_a_tool_and_goes_on_with_its_result(gateway: RunningGateway, claude: anthropic.Anthropic) -> None:
    more: Any = {"model": "lifelong", "max_tokens": 99, "tools": [ANTHROPIC_TOOL]}
    messages: list[Any] = [QUESTION]
    with claude.messages.stream(messages=messages, **more) as events:
        kinds = [event.type for event in events if event.type not in ("text", "input_json")]
        message = events.get_final_message()
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    [block] = message.content
    assert (block.type, block.name, block.input) == ("tool_use", "look", {"query": "the file"})  # type: ignore[union-attr]
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens > 0) == ("tool_use", 7, True)
    result = {"type": "tool_result", "tool_use_id": block.id, "content": "found it"}  # type: ignore[union-attr]
    messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    final = claude.messages.create(messages=messages, **more)
    assert (final.content[0].text, final.stop_reason) == ("FOUND IT", "end_turn")  # type: ignore[union-attr]
    assert gateway.engine.requests[-1].tools[0]["function"]["parameters"] == SCHEMA
    assert steps(gateway) == [["observation", "action", "tool_result", "action"]]


def test_openais_sdk_streams_a_call_in_responses_and_goes_on_with_its_result(gateway: RunningGateway) -> None:
    items: list[Any] = [QUESTION]
    with gateway.client.responses.stream(model="lifelong", input=items, tools=[RESPONSES_TOOL]) as events:
        kinds = [event.type for event in events]
        response = events.get_final_response()
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    [call] = response.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "look", {"query": "the file"})  # type: ignore[union-attr]
    items += [call.model_dump(exclude_none=True), {"type": "function_call_output", "call_id": call.call_id, "output": "found it"}]  # type: ignore[union-attr]
    with gateway.client.responses.stream(model="lifelong", input=items, tools=[RESPONSES_TOOL]) as events:
        kinds = [event.type for event in events]
        assert events.get_final_response().output_text == "FOUND IT"
    assert kinds[2:] == [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert steps(gateway) == [["observation", "action", "tool_result", "action"]]


def test_a_tool_that_takes_a_text_is_called_with_a_text(gateway: RunningGateway) -> None:
    tool: Any = {"type": "custom", "name": "apply", "description": "apply a patch", "format": {"type": "grammar"}}
    with gateway.client.responses.stream(model="lifelong", input="call apply *** Begin Patch", tools=[tool]) as events:
        kinds = [event.type for event in events]
        [call] = events.get_final_response().output
    assert kinds[2:-1] == [
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
    ]
    assert (call.type, call.name, call.input) == ("custom_tool_call", "apply", "*** Begin Patch")  # type: ignore[union-attr]
    assert gateway.engine.requests[-1].tools[0].keys() == {"type", "function"}
    items: list[Any] = [{"role": "user", "content": "call apply *** Begin Patch"}, call.model_dump(exclude_none=True)]
    items.append({"type": "custom_tool_call_output", "call_id": call.call_id, "output": "patched"})  # type: ignore[union-attr]
    assert gateway.client.responses.create(model="lifelong", input=items, tools=[tool]).output_text == "PATCHED"
    assert steps(gateway) == [["observation", "action", "tool_result", "action"]]


def test_a_tool_that_must_be_called_is_named_to_the_engine(gateway: RunningGateway) -> None:
    asked = {"max_tokens": 9, "messages": [QUESTION], "tools": [ANTHROPIC_TOOL]}
    choice = {"type": "tool", "name": "look", "disable_parallel_tool_use": True}
    [block] = gateway.post("/v1/messages", {**asked, "tool_choice": choice}).json()["content"]
    assert block["input"] == {"query": "the file"}
    request = gateway.engine.requests[-1]
    assert (request.tool_choice, request.parallel_tool_calls) == ("look", False)
    body = {"input": "call look x", "tools": [RESPONSES_TOOL], "tool_choice": {"type": "function", "name": "look"}}
    [item] = gateway.post("/v1/responses", body).json()["output"]
    assert (item["type"], item["arguments"], gateway.engine.requests[-1].tool_choice) == ("function_call", '{"query": "x"}', "look")


def test_why_an_answer_ended_is_said_in_every_protocol(gateway: RunningGateway) -> None:
    asked = {"messages": [{"role": "user", "content": "one two three"}]}
    stopped = gateway.post("/v1/messages", {**asked, "max_tokens": 99, "stop_sequences": ["TWO"]}).json()
    assert (stopped["content"][0]["text"], stopped["stop_reason"], stopped["stop_sequence"]) == ("ONE ", "stop_sequence", "TWO")
    cut = gateway.post("/v1/messages", {**asked, "max_tokens": 3, "top_p": 0.9}).json()
    assert (cut["content"][0]["text"], cut["stop_reason"]) == ("ONE", "max_tokens")
    short = gateway.post("/v1/responses", {"input": "one two three", "max_output_tokens": 3, "seed": 1}).json()
    assert (short["status"], short["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    whole = gateway.post("/v1/responses", {"input": "one"}).json()
    assert (whole["status"], whole["incomplete_details"]) == ("completed", None)
    # As long as it was allowed to be, and not cut: nothing more was to come.
    exact = gateway.post("/v1/chat/completions", {**asked, "max_tokens": 13}).json()
    assert exact["choices"][0]["finish_reason"] == "stop"


def test_the_length_of_an_answer_is_the_clients_or_the_models(gateway: RunningGateway) -> None:
    long = "word " * 200
    for path, body in (("/v1/chat/completions", {"messages": [{"role": "user", "content": long}]}), ("/v1/responses", {"input": long})):
        answer = gateway.post(path, body).json()
        assert gateway.engine.requests[-1].max_tokens is None
        assert "length" not in json.dumps(answer), "nothing was cut off"
    for path, body, name in (
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": long}]}, "max_tokens"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": long}]}, "max_completion_tokens"),
        ("/v1/messages", {"messages": [{"role": "user", "content": long}]}, "max_tokens"),
        ("/v1/responses", {"input": long}, "max_output_tokens"),
    ):
        gateway.post(path, {**body, name: 300})
        assert gateway.engine.requests[-1].max_tokens == 300, path


def test_tokens_are_counted_without_an_upstream(gateway: RunningGateway, claude: anthropic.Anthropic) -> None:
    few = claude.messages.count_tokens(model="lifelong", system="be brief", messages=[{"role": "user", "content": "one two three"}])
    assert few.input_tokens == 5
    tools: Any = [ANTHROPIC_TOOL]
    assert claude.messages.count_tokens(model="lifelong", messages=[{"role": "user", "content": "one"}], tools=tools).input_tokens > 5
    refused = gateway.post("/v1/messages/count_tokens", {"messages": []})
    assert (refused.status_code, refused.json()["type"]) == (400, "error")


PROTOCOLS = [
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "stream": True}, '"content": "ONE "', "[DONE]"),
    ("/v1/responses", {"input": "x", "stream": True}, "response.output_text.delta", "event: error"),
    ("/v1/messages", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9, "stream": True}, "text_delta", "event: error"),
]


@pytest.mark.parametrize(("path", "body", "piece", "end"), PROTOCOLS)
def test_the_first_piece_comes_while_the_model_writes_and_a_failure_ends_the_stream(
    tmp_path: Path, path: str, body: dict[str, Any], piece: str, end: str
) -> None:
    engine = HaltingEngine()
    gateway = RunningGateway(tmp_path, engine)
    try:
        with httpx.stream("POST", gateway.url + path, json=body, timeout=60) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            read = ""
            chunks = response.iter_text()
            while piece not in read:
                read += next(chunks)
            assert not engine.go_on.is_set(), "the first piece was there before the second was made"
            engine.fails = True
            engine.go_on.set()
            read += "".join(chunks)
        assert "the model is gone" in read
        assert end in read.rsplit("the model is gone", 1)[1] or end in read.split(piece, 1)[1]
        assert gateway.learner.runs.sessions() == [], "what broke off is not kept"
    finally:
        engine.go_on.set()
        gateway.close()


class CancellableEngine(EchoEngine):
    """Writes until somebody cancels it, or for as long as it may."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.cancelled = threading.Event()

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        try:
            for _ in range(3000):
                self.made += 1
                time.sleep(0.01)
                check_cancelled()
        except Cancelled:
            self.cancelled.set()
            raise
        return super().chat(requests)


@pytest.mark.parametrize("more", [{}, {"n": 2}])
def test_a_client_that_leaves_ends_the_work_and_nothing_is_recorded(tmp_path: Path, more: dict[str, int]) -> None:
    engine = CancellableEngine()
    gateway = RunningGateway(tmp_path, engine)
    try:
        body = {"messages": [{"role": "user", "content": "a long story"}], **more}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=0.5)
        assert engine.cancelled.wait(5)
        assert engine.made < 500
        assert httpx.get(f"{gateway.url}/ready").json() == {"status": "ready"}
        assert gateway.record.episodes.count(tenant="default") == 0
    finally:
        gateway.close()


def test_a_conversation_goes_on_without_reading_it_again_and_for_its_own_tenant_alone(tmp_path: Path, tiny_model: Path) -> None:
    gateway = RunningGateway(tmp_path, EmbeddedEngine(str(tiny_model), dtype="float32"), GatewaySettings(deadline_ms=5000))

    def say(user: str, messages: list[Any]) -> tuple[str, int]:
        with gateway.client.chat.completions.create(
            model="lifelong", messages=messages, user=user, max_tokens=8, stream=True, stream_options={"include_usage": True}
        ) as stream:
            chunks = list(stream)
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        usage = chunks[-1].usage
        assert usage is not None
        return text, (usage.prompt_tokens_details.cached_tokens or 0) if usage.prompt_tokens_details else 0

    messages: list[Any] = [{"role": "user", "content": "Where does my sister Ada live, in Bern or in Rome?"}]
    cached = []
    try:
        for turn in range(3):
            text, reused = say("ada", messages)
            cached.append(reused)
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": f"And number {turn}?"}]
        assert cached[0] == 0
        assert 40 < cached[1] < cached[2]
        assert say("bob", messages)[1] == 0, "what one tenant said tells another nothing, by the time it takes neither"
    finally:
        gateway.close()
