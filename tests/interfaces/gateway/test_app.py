"""The gateway as chat tools use it: the official client over a real server, a real learner behind it, a small engine inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from running_gateway import EchoEngine, RunningGateway

from lifelong.core import EngineUnreachable, Judge
from lifelong.core.messages import tool_call, tool_specification
from lifelong.core.settings import GatewaySettings


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    opened = RunningGateway(tmp_path, EchoEngine())
    yield opened
    opened.close()


def test_an_answer_is_a_recorded_episode(gateway: RunningGateway) -> None:
    reply = gateway.ask("hello there")
    assert reply.choices[0].message.content == "HELLO THERE"
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.total_tokens) == (7, 18)
    episode = gateway.record.episodes.get(reply.id)
    assert (episode.task.goal, episode.task.environment, episode.task.tenant) == ("hello there", "chat", "default")
    assert episode.outcome.success is None
    assert reply.model_extra["lifelong"]["verdict"]["known"] is False


def test_a_stream_says_the_same(gateway: RunningGateway) -> None:
    text = "a longer request that needs more than one piece to be sent back, with ünïcode\nand lines"
    messages = [{"role": "user", "content": text}]
    chunks = list(
        gateway.client.chat.completions.create(
            model="lifelong", messages=messages, stream=True, stream_options={"include_usage": True}, max_tokens=200
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text.upper()
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) > 2
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == len(text)
    assert len({chunk.id for chunk in chunks}) == 1
    [session] = gateway.learner.runs.sessions(tenant="default")
    assert [one.answer for one in gateway.learner.runs.session(session.id, tenant="default")] == [text.upper()]


def test_tools_and_their_results_reach_the_engine_and_the_run_is_kept(gateway: RunningGateway) -> None:
    call = tool_call("route", {"queue": "billing"}, "call_1")
    messages = [
        {"role": "user", "content": "route it"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "routed to billing"},
    ]
    answer = gateway.client.chat.completions.create(model="lifelong", messages=messages, tools=[tool_specification("route")])
    assert answer.choices[0].message.content == "ROUTED TO BILLING"
    assert [message["role"] for message in gateway.engine.seen[-1]] == ["user", "assistant", "tool"]
    assert gateway.engine.seen[-1][1]["tool_calls"] == [call]
    assert gateway.engine.seen[-1][2]["tool_call_id"] == "call_1"
    [session] = gateway.learner.runs.sessions(tenant="default")
    [episode] = gateway.learner.runs.session(session.id, tenant="default")
    assert episode.answer == "ROUTED TO BILLING"


def test_an_option_that_engines_do_not_have_is_refused_by_name(gateway: RunningGateway) -> None:
    for name, value in (("logit_bias", {"5": 1}), ("top_logprobs", 3), ("seed", "x"), ("tool_choice", 5)):
        response = gateway.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "stop": "y", name: value})
        assert response.status_code == 400
        assert name in response.json()["error"]["message"]
    assert gateway.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "n": 2}).json()["choices"][1]["index"] == 1
    assert (
        gateway.post("/v1/chat/completions", {"model": "none-v1", "messages": [{"role": "user", "content": "x"}], "stop": "y"}).status_code
        == 404
    )


def test_a_session_that_a_client_names_is_that_of_its_answers(gateway: RunningGateway) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}]}
    first, second = (gateway.post("/v1/chat/completions", body, **{"X-Lifelong-Session": "mine"}) for _ in range(2))
    assert first.headers["x-lifelong-session"] == "mine"
    assert first.headers["x-lifelong-episode"] == first.json()["id"] != second.json()["id"]
    found = httpx.get(f"{gateway.url}/v1/lifelong/sessions/mine").json()
    assert {one["id"] for one in found["episodes"]} == {first.json()["id"], second.json()["id"]}
    gateway.post("/v1/chat/completions", body, **{"x-openwebui-task": "title_generation", "X-Lifelong-Session": "mine"})
    assert gateway.record.episodes.count(tenant="default") == 2


def test_a_cut_answer_says_so(gateway: RunningGateway) -> None:
    assert gateway.ask("hello there", max_completion_tokens=5).choices[0].finish_reason == "length"


def test_models_list_the_learner_and_its_base(gateway: RunningGateway) -> None:
    assert [model.id for model in gateway.client.models.list()] == ["lifelong", "echo"]


def test_a_conversation_keeps_its_turns_and_instructions(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="echo",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "ONE"},
            {"role": "user", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]},
        ],
    )
    assert gateway.engine.seen[-1] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "ONE"},
        {"role": "user", "content": "two\nthree"},
    ]


def test_feedback_becomes_a_users_outcome(gateway: RunningGateway) -> None:
    good, bad = gateway.ask("say good").id, gateway.ask("say bad").id
    assert gateway.post("/feedback", {"completion_id": good, "success": True}).json()["trainable"] is True
    answer = gateway.post("/feedback", {"episode_id": bad, "success": False, "correction": "better", "reason": "too loud"}).json()
    assert answer == {"episode_id": bad, "success": False, "judge": "user", "trainable": True}
    judged = gateway.record.episodes.get(bad)
    assert (judged.outcome.judge, judged.outcome.reason, judged.correction) == (Judge.USER, "too loud", "better")
    assert gateway.post("/feedback", {"episode_id": good, "score": 0.2}).json()["success"] is False


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"success": True}, 400, "episode_id"),
        ({"episode_id": "nobody", "success": True}, 404, "has no episode 'nobody'"),
        ({"episode_id": "{id}"}, 400, "must say success true or false"),
        ({"episode_id": "{id}", "success": True, "score": 0.1}, 400, "contradict"),
        ({"episode_id": "{id}", "success": True, "correction": "x"}, 400, "send one of them"),
        ({"episode_id": "{id}", "success": True, "judge": "environment"}, 400, "judge"),
    ],
)
def test_feedback_that_cannot_be_taken_is_explained(gateway: RunningGateway, body: dict[str, object], status: int, says: str) -> None:
    id_ = gateway.ask("hello").id
    response = gateway.post("/feedback", {key: id_ if value == "{id}" else value for key, value in body.items()})
    assert response.status_code == status
    assert says in response.json()["error"]["message"]
    assert gateway.record.episodes.get(id_).outcome.success is None


def test_tenants_do_not_meet(gateway: RunningGateway) -> None:
    by_header = gateway.ask("mine", extra_headers={"X-Lifelong-Tenant": "ann"}).id
    by_field = gateway.ask("mine too", user="bob").id
    assert gateway.record.episodes.get(by_header).task.tenant == "ann"
    assert gateway.record.episodes.get(by_field).task.tenant == "bob"
    assert gateway.post("/feedback", {"id": by_header, "success": True, "user": "bob"}).status_code == 404
    assert gateway.post("/feedback", {"id": by_header, "success": True}, **{"X-Lifelong-Tenant": "ann"}).status_code == 200


def test_requests_that_tools_make_for_themselves_are_not_learned(gateway: RunningGateway) -> None:
    title = "### Task:\nGenerate a concise title.\n### Chat History:\n<chat_history>\nUSER: hi\n</chat_history>"
    assert gateway.ask(title, max_tokens=500).choices[0].message.content == title.upper()
    gateway.ask("not this either", extra_headers={"X-Lifelong-Learn": "no"})
    assert gateway.record.episodes.count(tenant="default") == 0
    gateway.ask("### Task: is a heading that people write too")
    assert gateway.record.episodes.count(tenant="default") == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "'system', 'developer', 'user', 'assistant' or 'tool'"),
        ({"messages": [{"role": "user", "content": "  "}]}, "last of messages"),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}, "last of messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "'text'"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"user": "   "}, "tenant"),
    ],
)
def test_malformed_requests_are_refused_in_openais_shape(gateway: RunningGateway, change: dict[str, object], says: str) -> None:
    response = gateway.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], **change})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert says in response.json()["error"]["message"]
    assert gateway.engine.seen == []


def test_errors_reach_the_official_client_by_name(gateway: RunningGateway) -> None:
    import openai

    with pytest.raises(openai.NotFoundError, match="there is no model 'gpt-9'; ask for 'lifelong'"):
        gateway.client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(openai.NotFoundError, match="/v1/embeddings"):
        gateway.client.embeddings.create(model="lifelong", input="x")
    gateway.engine.down = True
    with pytest.raises(openai.InternalServerError, match="does not answer; start it") as caught:
        gateway.ask("x")
    assert caught.value.status_code == 503
    gateway.engine.down = False
    assert gateway.ask("x").choices[0].message.content == "X"


def test_broken_json_and_other_content_types_are_refused(gateway: RunningGateway) -> None:
    for content, kind in (("{", "application/json"), ('{"messages": [{"role": "user", "content": "x"}]}', "text/plain")):
        response = httpx.post(f"{gateway.url}/v1/chat/completions", content=content, headers={"Content-Type": kind})
        assert response.status_code == 400
        assert response.json()["error"]["message"]
    assert gateway.engine.seen == []


def test_a_large_body_is_refused_announced_or_not(gateway: RunningGateway) -> None:
    large = json.dumps({"messages": [{"role": "user", "content": "x" * (1 << 20)}]}).encode()
    pieces = [large[start : start + 65_536] for start in range(0, len(large), 65_536)]
    for content in (large, iter(pieces)):
        response = httpx.post(
            f"{gateway.url}/v1/chat/completions", content=content, headers={"Content-Type": "application/json"}, timeout=20
        )
        assert response.status_code == 413
        assert "larger than 1048576 bytes" in response.json()["error"]["message"]
    assert gateway.ask("still here").choices[0].message.content == "STILL HERE"


def test_many_clients_at_once(gateway: RunningGateway) -> None:
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda number: gateway.ask(f"request {number}"), range(36)))
    assert [reply.choices[0].message.content for reply in replies] == [f"REQUEST {number}" for number in range(36)]
    assert gateway.record.episodes.count(tenant="default") == 36


def test_the_embedded_engine_answers_through_the_gateway_too(tmp_path: Path, tiny_model: Path) -> None:
    from lifelong.serving import EmbeddedEngine

    gateway = RunningGateway(tmp_path, EmbeddedEngine(str(tiny_model)))
    try:
        alone = [gateway.ask(f"request {number}", max_tokens=12) for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda number: gateway.ask(f"request {number}", max_tokens=12), range(4)))
        assert [reply.choices[0].message.content for reply in together] == [reply.choices[0].message.content for reply in alone]
        assert all(0 < reply.usage.completion_tokens <= 12 for reply in together)
        assert gateway.record.episodes.count(tenant="default") == 8
    finally:
        gateway.close()


def test_health(gateway: RunningGateway) -> None:
    assert httpx.get(f"{gateway.url}/health").json() == {"status": "ok"}


def test_heads_names_and_documents(gateway: RunningGateway) -> None:
    for path in ("/", "/health", "/ready", "/metrics", "/v1/models", "/v1/models/lifelong", "/openapi.json"):
        assert httpx.get(gateway.url + path).status_code == 200, path
    for path in ("/", "/health", "/v1/models"):
        response = httpx.head(gateway.url + path)
        assert (response.status_code, response.content) == (200, b"")
    assert httpx.get(f"{gateway.url}/v1/models/none").status_code == 404
    described = httpx.get(f"{gateway.url}/openapi.json").json()["paths"]["/v1/chat/completions"]["post"]
    assert "messages" in json.dumps(described["requestBody"])


def test_one_name_is_one_tenant_by_header_and_by_field(gateway: RunningGateway) -> None:
    body = {"messages": [{"role": "user", "content": "x"}]}
    raw = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Lifelong-Tenant": "Zoë".encode()}
    assert httpx.post(f"{gateway.url}/v1/chat/completions", content=raw, headers=headers).status_code == 200
    assert gateway.post("/v1/chat/completions", {**body, "user": "Zoe\u0308"}).status_code == 200
    assert gateway.record.episodes.tenants() == ["Zo\u00eb"]
    headers["X-Lifelong-Tenant"] = "Zoë".encode("latin-1")
    refused = httpx.post(f"{gateway.url}/v1/chat/completions", content=raw, headers=headers)
    assert refused.status_code == 400
    assert "UTF-8" in refused.json()["error"]["message"]


def test_a_gateway_that_requires_a_tenant_refuses_unnamed_clients(tmp_path: Path) -> None:
    gateway = RunningGateway(tmp_path, EchoEngine(), GatewaySettings(require_tenant=True))
    try:
        body = {"messages": [{"role": "user", "content": "x"}]}
        for path, sent in (("/v1/chat/completions", body), ("/feedback", {"id": "e", "success": True})):
            refused = gateway.post(path, sent)
            assert refused.status_code == 400
            assert "X-Lifelong-Tenant" in refused.json()["error"]["message"]
        assert gateway.engine.seen == []
        assert gateway.ask("x", user="ann").choices[0].message.content == "X"
    finally:
        gateway.close()


def test_an_unknown_host_is_refused(gateway: RunningGateway) -> None:
    response = httpx.get(f"{gateway.url}/v1/models", headers={"Host": "evil.example"})
    assert response.status_code == 421
    assert "gateway.hosts" in response.json()["error"]["message"]


def test_no_error_text_shows_a_password(gateway: RunningGateway) -> None:
    gateway.engine.chat = lambda requests: (_ for _ in ()).throw(EngineUnreachable("http://admin:S3CRETPW@10.0.0.1/v1 answers 401"))
    response = gateway.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]})
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert "S3CRETPW" not in response.text


def test_what_nobody_expected_is_a_500_in_the_usual_shape(gateway: RunningGateway) -> None:
    gateway.engine.chat = lambda requests: 1 // 0
    response = gateway.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]})
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "api_error"
    assert "ZeroDivisionError" in response.json()["error"]["message"]
