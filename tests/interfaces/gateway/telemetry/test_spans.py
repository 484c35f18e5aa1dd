"""Spans of requests in an exporter in memory: names of the conventions, the client's span above, and no word that anybody said."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_gateway import EchoEngine, RunningGateway
from scripted_upstream import MODEL, PATIENT, Script, ScriptedUpstream, completion, passing_gateway

from lifelong.interfaces.gateway.telemetry.spans import Spans

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="needs the extra `telemetry`")

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider, kept = sdk.TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    # The provider of the process is set once and for all; a test has its own.
    monkeypatch.setattr(trace, "get_tracer", lambda name, *_, **__: provider.get_tracer(name))
    yield kept
    provider.shutdown()


@pytest.fixture
def script() -> Script:
    def respond(path: str, body: dict[str, Any]) -> Any:
        if "fail" in json.dumps(body):
            return 500, {}, b'{"error": {"message": "no"}}'
        answer = completion("a secret answer")
        return {**answer, "usage": {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}}

    return respond


def body(text: str) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 99, "temperature": 0.5}


def test_a_request_that_is_passed_on_is_a_span(tmp_path: Path, exporter: Any, upstream: ScriptedUpstream) -> None:
    gateway = passing_gateway(tmp_path, upstream, PATIENT)
    try:
        answer = gateway.post("/v1/chat/completions", body("a secret question"), traceparent=PARENT, **{"x-session-id": "one"})
        gateway.post("/feedback", {"episode_id": answer.headers["x-lifelong-episode"], "success": True})
        gateway.post("/v1/chat/completions", body("fail"))
    finally:
        gateway.close()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {f"chat {MODEL}", "evaluate"}
    first, evaluated, failed = exporter.get_finished_spans()
    assert dict(first.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stream": False,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.conversation.id": "session-one",
        "gen_ai.response.id": "chatcmpl-7",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "lifelong.arm": "treated",
        "lifelong.episode": answer.headers["x-lifelong-episode"],
    }
    assert format(first.parent.span_id, "016x") == "b7ad6b7169203331"
    [event] = evaluated.events
    assert event.name == "gen_ai.evaluation.result"
    assert (event.attributes["gen_ai.evaluation.score.value"], event.attributes["gen_ai.evaluation.score.label"]) == (1.0, "pass")
    assert (failed.attributes["error.type"], failed.status.status_code.name) == ("_OTHER", "ERROR")
    assert "secret" not in "".join(span.to_json() for span in exporter.get_finished_spans())


def test_an_answer_that_is_made_here_is_a_span_too(tmp_path: Path, exporter: Any) -> None:
    gateway = RunningGateway(tmp_path, EchoEngine())
    try:
        gateway.ask("hello")
        gateway.post("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "hello"}], "stream": True})
    finally:
        gateway.close()
    plain, streamed = exporter.get_finished_spans()
    assert (plain.attributes["gen_ai.usage.output_tokens"], streamed.attributes["gen_ai.usage.output_tokens"]) == (5, 5)
    assert (plain.attributes["gen_ai.provider.name"], streamed.attributes["gen_ai.provider.name"]) == ("openai", "anthropic")


def test_without_the_package_there_are_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *more: Any, **options: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    span = Spans().request("openai-chat", [(b"traceparent", PARENT.encode())])
    span.placed(None)
    span.end()
