"""Requests passed on to a model behind a URL: nothing is lost on the way, and nothing beside them holds them up."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from running_gateway import RunningGateway
from scripted_upstream import MODEL, Script, ScriptedUpstream, chunk, completion, passing_gateway, pieces

from lifelong.core import Action
from lifelong.core.settings import GatewaySettings

JSON = {"Content-Type": "application/json"}
ODD = (
    b'{ "model" : "lifelong",\r\n "x_vendor": {"k":[1,null, 1.50]}, "messages": [ {"role":"user","content":"caf\\u00e9 \xf0\x9f\x99\x82",'
    b' "name":"z"} ],'
    b'"stop":["END"],\t"seed":7, "n": 1 }'
)


def respond(path: str, body: dict) -> object:
    if body.get("stream"):
        return pieces("one ", "two ", "three")
    return "fine"


@pytest.fixture
def gateway_settings() -> GatewaySettings:
    return GatewaySettings(deadline_ms=2000)


@pytest.fixture
def script() -> Script:
    return respond


def post(gateway: RunningGateway, content: bytes, path: str = "/v1/chat/completions", **headers: str) -> httpx.Response:
    return httpx.post(gateway.url + path, content=content, headers={**JSON, **headers}, timeout=60)


def test_bytes_reach_the_upstream_as_they_were_sent_but_for_the_models_name(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    assert post(gateway, ODD).status_code == 200
    assert upstream.seen[-1][2] == ODD.replace(b'"lifelong"', f'"{MODEL}"'.encode())
    other = ODD.replace(b'"lifelong"', b'"another-model"')
    assert post(gateway, other).status_code == 200
    assert upstream.seen[-1][2] == other


def test_headers_go_on_and_those_of_the_connection_do_not(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    sent = {
        "X-Vendor": "1",
        "Authorization": "Bearer own",
        "Cookie": "a=b",
        "Connection": "close, x-hop",
        "X-Hop": "1",
        "X-Lifelong-Tenant": "ann",
    }
    assert post(gateway, ODD, "/v1/chat/completions?api-version=7", **sent).status_code == 200
    path, headers, _ = upstream.seen[-1]
    assert path == "/v1/chat/completions?api-version=7"
    assert (headers["x-vendor"], headers["authorization"]) == ("1", "Bearer own")
    assert not {"cookie", "x-hop", "x-lifelong-tenant"} & headers.keys()
    assert headers["host"] != gateway.url.removeprefix("http://")


def test_a_key_of_ours_replaces_the_clients_and_is_shown_to_nobody(tmp_path: Path) -> None:
    def echoing(path: str, body: dict) -> object:
        return 401, {}, b'{"error": {"message": "Incorrect API key provided: our-secret-key"}}'

    upstream = ScriptedUpstream(echoing)
    gateway = passing_gateway(tmp_path, upstream, key="our-secret-key")
    try:
        refused = post(gateway, ODD, Authorization="Bearer theirs")
        assert upstream.seen[-1][1]["authorization"] == "Bearer our-secret-key"
        assert refused.status_code == 401
        assert "our-secret-key" not in refused.text
        assert "Incorrect API key" in refused.text
    finally:
        gateway.close()
        upstream.close()


def test_a_cookie_of_the_upstream_reaches_no_other_client(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    upstream.script = lambda path, body: (200, {"Set-Cookie": "session=ann; Path=/"}, json.dumps(completion("x")).encode())
    assert "set-cookie" not in post(gateway, ODD).headers
    post(gateway, ODD)
    assert "cookie" not in upstream.seen[-1][1]


def test_what_was_answered_is_recorded_before_its_end_is_seen(gateway: RunningGateway) -> None:
    whole = post(gateway, ODD)
    assert gateway.record.episodes.get(whole.headers["x-lifelong-episode"]).answer == "fine"
    with httpx.stream("POST", gateway.url + "/v1/chat/completions", json={**json.loads(ODD), "stream": True}, timeout=30) as response:
        id_ = response.headers["x-lifelong-episode"]
        for line in response.iter_lines():
            if line == "data: [DONE]":
                assert gateway.record.episodes.get(id_).answer == "one two three"


def test_a_stream_arrives_as_it_is_made_byte_for_byte(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    upstream.pause = 0.2
    started, first, got = time.perf_counter(), 0.0, b""
    with httpx.stream("POST", gateway.url + "/v1/chat/completions", json={**json.loads(ODD), "stream": True}, timeout=30) as response:
        for data in response.iter_raw():
            first = first or time.perf_counter() - started
            got += data
    assert got == b"".join(pieces("one ", "two ", "three"))
    assert first < (time.perf_counter() - started) / 2


def test_tool_calls_and_pieces_cut_anywhere_are_put_together(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    stream = b"".join(pieces("na", "ïve \U0001f642"))
    upstream.script = lambda path, body: [stream[at : at + 5] for at in range(0, len(stream), 5)]
    with httpx.stream("POST", gateway.url + "/v1/chat/completions", json={**json.loads(ODD), "stream": True}, timeout=30) as response:
        assert b"".join(response.iter_raw()) == stream
    assert gateway.record.episodes.get(response.headers["x-lifelong-episode"]).answer == "naïve \U0001f642"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_stream_that_breaks_off_ends_with_an_error_and_is_not_learned_from(
    gateway: RunningGateway, upstream: ScriptedUpstream, streamed: bool
) -> None:
    import openai

    def cut(path: str, body: dict) -> object:
        return [chunk({"content": "half"})] if streamed else (200, {"Content-Length": "5000"}, b'{"choices": [')

    upstream.script = cut
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=5)
    if streamed:
        with pytest.raises(openai.APIError, match="broke off"):
            list(client.chat.completions.create(model="lifelong", messages=[{"role": "user", "content": "x"}], stream=True))
    else:
        upstream.script = lambda path, body: (200, {}, b'{"choices": [')
        response = post(gateway, ODD)
        assert response.status_code == 502
        assert "no JSON object" in response.json()["error"]["message"]
    assert gateway.record.episodes.count(tenant="default") == 0


def test_an_upstream_that_is_gone_is_a_503_with_a_time_to_come_back(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    upstream.close()
    response = post(gateway, ODD)
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert "no connection" in response.json()["error"]["message"]
    assert httpx.get(gateway.url + "/health").status_code == 200


def test_a_silent_upstream_gets_comments_and_its_error_becomes_an_event(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(lambda path, body: (429, {"Retry-After": "7"}, b'{"error": {"message": "too many"}}'))
    upstream.delay = 0.6
    gateway = passing_gateway(tmp_path, upstream, GatewaySettings(keep_alive_seconds=0.2))
    try:
        response = httpx.post(gateway.url + "/v1/chat/completions", json={**json.loads(ODD), "stream": True}, timeout=30)
        assert response.status_code == 200
        assert response.text.startswith(": ")
        assert "too many" in response.text
        assert response.text.endswith("data: [DONE]\n\n")
        assert post(gateway, ODD).status_code == 429
    finally:
        gateway.close()
        upstream.close()


def test_who_hangs_up_is_not_learned_from_and_the_upstream_hears_of_it(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    upstream.script = lambda path, body: pieces(*(f"w{i} " for i in range(200)))
    upstream.pause = 0.02
    for _ in range(4):
        with httpx.stream("POST", gateway.url + "/v1/chat/completions", json={**json.loads(ODD), "stream": True}, timeout=30) as response:
            next(response.iter_raw())
    deadline = time.monotonic() + 10
    while upstream.cancelled < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert upstream.cancelled == 4
    assert gateway.record.episodes.count(tenant="default") == 0


def test_waiting_clients_hold_no_threads(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    upstream.delay = 1.5
    before = threading.active_count()
    with ThreadPoolExecutor(48) as pool:
        started = time.perf_counter()
        waiting = [pool.submit(post, gateway, ODD) for _ in range(48)]
        time.sleep(0.7)
        # The pool's own threads and the upstream's are of this process too.
        assert threading.active_count() - before <= 2 * 48 + 12
        assert httpx.get(gateway.url + "/ready").status_code == 200
        assert {one.result().status_code for one in waiting} == {200}
        assert time.perf_counter() - started < 20  # one after the other they would take 72 s


def test_an_encoder_that_hangs_costs_the_deadline_and_then_nothing(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    gateway = passing_gateway(tmp_path, upstream, GatewaySettings(deadline_ms=100))
    release = threading.Event()
    gateway.learner._components.encoder.encode = lambda texts: release.wait(60)
    try:
        times = []
        for _ in range(12):
            started = time.perf_counter()
            assert post(gateway, ODD).status_code == 200
            times.append(time.perf_counter() - started)
        assert max(times) < 1.5
        metrics = httpx.get(gateway.url + "/metrics").text
        assert "lifelong_memory_breaker_open 1" in metrics
        assert "lifelong_deadline_missed_total 5" in metrics
        assert gateway.record.episodes.count(tenant="default") == 12
    finally:
        release.set()
        gateway.close()


def test_a_locked_record_holds_no_answer_up_and_loses_nothing(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    gateway = passing_gateway(tmp_path, upstream, GatewaySettings(record_seconds=0.3))
    locked = sqlite3.connect(tmp_path / "record.sqlite3", isolation_level=None)
    try:
        locked.execute("BEGIN IMMEDIATE")
        for number in range(4):
            started = time.perf_counter()
            response = post(gateway, ODD)
            assert response.headers["x-lifelong-recorded"] == "no"
            assert time.perf_counter() - started < (1.5 if number == 0 else 1.0)
        locked.execute("ROLLBACK")
        deadline = time.monotonic() + 20
        while gateway.record.episodes.count(tenant="default") < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert gateway.record.episodes.count(tenant="default") == 4
        assert "x-lifelong-recorded" not in post(gateway, ODD).headers
    finally:
        locked.close()
        gateway.close()


def test_other_routes_of_the_protocol_are_passed_on(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    upstream.script = lambda path, body: {"object": "list", "data": [], "model": body["model"]}
    for path in ("/v1/embeddings", "/v1/completions"):
        response = post(gateway, b'{"model": "lifelong", "input": "x", "prompt": "x"}', path)
        assert (response.status_code, response.json()["model"]) == (200, MODEL)
        assert upstream.seen[-1][0] == path
    assert gateway.record.episodes.count(tenant="default") == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{} {}", b'{"a": NaN}', b"\xff", b'{"a": ' + b"[" * 100_000])
def test_what_is_no_json_object_is_refused_here(gateway: RunningGateway, upstream: ScriptedUpstream, content: bytes) -> None:
    response = post(gateway, content)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
    assert upstream.seen == []


@pytest.mark.parametrize(
    "more",
    [
        {"messages": None},
        {"messages": [{"role": "wizard"}]},
        {"temperature": 9},
        {"messages": [{"role": "user", "content": "\ud800"}]},
        {"n": 3},
    ],
)
def test_what_only_the_upstream_can_judge_goes_there(gateway: RunningGateway, upstream: ScriptedUpstream, more: dict[str, object]) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **more}
    assert post(gateway, json.dumps(body).encode()).status_code == 200
    assert upstream.bodies[-1] == body
    assert gateway.record.episodes.count(tenant="default") == 0


def test_what_was_corrected_stands_beside_the_newest_message_as_data(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    question = "summarise report number 3 for the sales team"
    for number in range(12):
        body = {"messages": [{"role": "user", "content": f"summarise report number {number % 6} for the sales team"}]}
        id_ = post(gateway, json.dumps(body).encode())
        gateway.post("/feedback", {"episode_id": id_.headers["x-lifelong-episode"], "success": False, "correction": "in one table"})
    marked = {"type": "text", "text": question, "cache_control": {"type": "ephemeral"}}
    for content in (question, [marked]):
        body = {"model": "m", "messages": [{"role": "system", "content": "brief"}, {"role": "user", "content": content}]}
        raw = json.dumps(body).encode()
        assert post(gateway, raw).status_code == 200
        got = upstream.bodies[-1]
        assert got["messages"][0] == body["messages"][0]
        shown = got["messages"][1]["content"]
        assert (shown if isinstance(shown, str) else shown[0]["text"]).startswith(question)
        assert "in one table" in json.dumps(shown)
        assert isinstance(shown, str) or shown[0] == marked
        assert upstream.seen[-1][2].startswith(raw.partition(question.encode())[0])
    episode = gateway.record.episodes.find(tenant="default", newest_first=True, limit=1)[0]
    assert [type(step) for step in episode.steps][-1] is Action
