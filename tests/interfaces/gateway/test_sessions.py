"""Sessions seen from outside: runs put together out of requests, outcomes, memory that stays where it was shown, and erasure."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_gateway import RunningGateway
from scripted_upstream import PATIENT, ScriptedUpstream, completion, passing_gateway
from typer.testing import CliRunner

from lifelong.core import NothingFound
from lifelong.interfaces.cli import app
from lifelong.memory import Record


class Script:
    """Calls a tool until its result has come, then says so; every answer has an id of its own."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, path: str, body: dict[str, Any]) -> Any:
        self.count += 1
        id = f"chatcmpl-{self.count}"
        last = body["messages"][-1]
        text = last["content"] if isinstance(last["content"], str) else last["content"][0]["text"]
        if last["role"] == "user" and text.startswith("look up"):
            call = {"id": f"call_{self.count}", "type": "function", "function": {"name": "look", "arguments": '{"q": "x"}'}}
            return completion(None, id=id, tool_calls=[call])
        return completion(f"I repeat: {text}", id=id)


@pytest.fixture
def script() -> Script:
    return Script()


class Client:
    """Keeps a conversation and sends all of it each time, as chat tools do."""

    def __init__(self, gateway: RunningGateway, **headers: str) -> None:
        self.gateway, self.headers, self.messages = gateway, headers, list[dict[str, Any]]()
        self.id = ""

    def say(self, text: str) -> httpx.Response:
        self.messages.append({"role": "user", "content": text})
        return self.go_on()

    def go_on(self) -> httpx.Response:
        while True:
            response = self.gateway.post("/v1/chat/completions", {"messages": self.messages, "tools": [TOOL]}, **self.headers)
            assert response.status_code == 200, response.text
            answer = response.json()
            self.id, message = answer["id"], answer["choices"][0]["message"]
            self.messages.append(message)
            if not message.get("tool_calls"):
                return response
            self.messages.append({"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "found it"})


TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def get(gateway: RunningGateway, path: str) -> Any:
    response = httpx.get(gateway.url + path, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def only_session(gateway: RunningGateway) -> dict[str, Any]:
    [session] = get(gateway, "/v1/lifelong/sessions")["data"]
    found: dict[str, Any] = get(gateway, f"/v1/lifelong/sessions/{session['id']}")
    return found


def types(episode: dict[str, Any]) -> list[str]:
    return [step["type"] for step in episode["steps"]]


def test_each_request_of_a_user_is_one_episode_with_its_tool_calls(gateway: RunningGateway) -> None:
    client = Client(gateway)
    client.say("look up the first thing")
    client.say("thank you")
    client.say("look up the second thing")
    episodes = only_session(gateway)["episodes"]
    assert [types(one) for one in episodes] == [
        ["observation", "action", "tool_result", "action"],
        ["observation", "action"],
        ["observation", "action", "tool_result", "action"],
    ]
    assert [one["previous"] for one in episodes] == ["", episodes[0]["id"], episodes[1]["id"]]
    assert episodes[2]["steps"][1]["tool_calls"][0]["function"]["name"] == "look"


def test_a_session_goes_on_after_a_restart(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    gateway = passing_gateway(tmp_path, upstream, PATIENT)
    client = Client(gateway)
    client.say("look up one thing")
    gateway.close()
    again = passing_gateway(tmp_path, upstream, PATIENT)
    try:
        client.gateway = again
        client.say("and another word")
        assert len(only_session(again)["episodes"]) == 2
    finally:
        again.close()


def test_two_people_in_one_words_have_two_sessions(gateway: RunningGateway) -> None:
    one, other = Client(gateway), Client(gateway)
    for client in (one, other):
        client.say("hello")
    one.say("mine is the first")
    other.say("mine is the second")
    found = get(gateway, "/v1/lifelong/sessions")["data"]
    assert [session["episodes"] for session in found] == [2, 2]


def test_a_named_session_is_found_by_its_name_whoever_names_it(gateway: RunningGateway) -> None:
    for header, name in (("X-Lifelong-Session", "mine"), ("session_id", "codex-mine"), ("X-Some-Agent-Session-Id", "some-agent-12345678")):
        Client(gateway, **{header: name.removeprefix("codex-").removeprefix("some-agent-")}).say(f"hello from {header}")
        assert len(get(gateway, f"/v1/lifelong/sessions/{name}")["episodes"]) == 1


def test_an_outcome_is_the_runs_whichever_answer_names_it(gateway: RunningGateway) -> None:
    client = Client(gateway)
    client.messages.append({"role": "user", "content": "look up the thing"})
    first = gateway.post("/v1/chat/completions", {"messages": client.messages, "tools": [TOOL]}).json()
    client.messages += [first["choices"][0]["message"], {"role": "tool", "tool_call_id": "call_1", "content": "found"}]
    judged = gateway.post("/v1/lifelong/outcome", {"id": first["id"], "success": False, "source": "user", "reason": "too slow"})
    assert judged.status_code == 200, judged.text
    client.go_on()
    [episode] = only_session(gateway)["episodes"]
    assert (episode["outcome"]["success"], episode["outcome"]["source"], episode["outcome"]["reason"]) == (False, "user", "too slow")
    taken = gateway.post("/v1/lifelong/outcome", {"id": client.id, "success": True, "source": "verifier", "score": 0.9})
    assert taken.json()["outcome"]["source"] == "verifier"
    [episode] = only_session(gateway)["episodes"]
    assert (episode["outcome"]["success"], episode["outcome"]["score"]) == (True, 0.9)
    late = gateway.post("/v1/lifelong/outcome", {"id": client.id, "success": False, "source": "user"})
    assert late.status_code == 400


def test_a_correction_may_be_a_tool_call(gateway: RunningGateway) -> None:
    Client(gateway, **{"X-Lifelong-Session": "s"}).say("route it")
    call = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "route", "arguments": '{"queue": "billing"}'}}]}
    taken = gateway.post("/v1/lifelong/outcome", {"session": "s", "success": False, "source": "user", "correction": call})
    assert taken.status_code == 200, taken.text
    [episode] = get(gateway, "/v1/lifelong/sessions/s")["episodes"]
    assert '"queue": "billing"' in episode["correction"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"success": True}, 400),
        ({"id": "a", "session": "b", "success": True}, 400),
        ({"id": "nobody", "success": True}, 404),
        ({"session": "nobody", "success": True}, 404),
        ({"id": "nobody", "success": "yes"}, 400),
        ({"id": "nobody", "score": 7}, 400),
        ({"id": "nobody", "success": True, "source": "environment"}, 400),
    ],
)
def test_an_outcome_that_cannot_be_taken_is_explained(gateway: RunningGateway, body: dict[str, Any], status: int) -> None:
    response = gateway.post("/v1/lifelong/outcome", body)
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_a_session_is_its_tenants(gateway: RunningGateway) -> None:
    Client(gateway, **{"X-Lifelong-Session": "s", "X-Lifelong-Tenant": "ann"}).say("hello")
    assert httpx.get(f"{gateway.url}/v1/lifelong/sessions/s").status_code == 404
    assert get(gateway, "/v1/lifelong/sessions")["data"] == []
    assert gateway.post("/v1/lifelong/outcome", {"session": "s", "success": True}).status_code == 404


def test_a_title_is_no_turn(gateway: RunningGateway, upstream: ScriptedUpstream) -> None:
    title = [{"role": "system", "content": "You generate a short title for the conversation."}, {"role": "user", "content": "hello"}]
    assert gateway.post("/v1/chat/completions", {"messages": title}, **{"x-session-id": "a1"}).status_code == 200
    assert get(gateway, "/v1/lifelong/sessions")["data"] == []
    assert len(upstream.seen) == 1


def test_a_retry_replaces_the_turn_that_nobody_saw(gateway: RunningGateway) -> None:
    client = Client(gateway, **{"X-Lifelong-Session": "s"})
    messages = [{"role": "user", "content": "look up the thing"}]
    for _ in range(3):
        body = {"messages": messages, "tools": [TOOL]}
        first = gateway.post("/v1/chat/completions", body, **client.headers).json()["choices"][0]["message"]
    client.messages = [*messages, first, {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "found"}]
    client.go_on()
    [episode] = get(gateway, "/v1/lifelong/sessions/s")["episodes"]
    assert types(episode) == ["observation", "action", "tool_result", "action"]
    assert episode["steps"][1]["tool_calls"][0]["id"] == first["tool_calls"][0]["id"]


def teach(gateway: RunningGateway) -> None:
    for number in range(12):
        client = Client(gateway)
        client.say(f"summarise report number {number % 6} for the sales team")
        gateway.post("/feedback", {"episode_id": client.id, "success": False, "correction": "in one table"})


def test_what_was_shown_is_shown_again_at_the_same_place_for_the_life_of_a_session(
    gateway: RunningGateway, upstream: ScriptedUpstream
) -> None:
    teach(gateway)
    upstream.seen.clear()
    client = Client(gateway)
    client.say("summarise report number 3 for the sales team")
    client.say("now look at the weather")
    client.say("look up something else")
    sent = [body["messages"] for body in upstream.bodies]
    assert "in one table" in json.dumps(sent[0][-1])
    for before, after in pairwise(sent):
        assert after[: len(before)] == before
    assert "in one table" not in json.dumps([one for one in client.messages if one["role"] == "user"])


def test_an_erased_turn_takes_with_it_what_was_answered_in_its_sight(gateway: RunningGateway, tmp_path: Path) -> None:
    client = Client(gateway)
    client.say("the vault word is qzxwvplumage")
    first = client.id
    client.say("what a pretty word, do you like it")
    client.say("look up the weather of tomorrow")
    client.say("and another thing")
    other = Client(gateway)
    other.say("a chat of somebody else")
    receipt = gateway.learner.forget(episode=first)
    assert receipt.episodes >= 1
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"qzxwvplumage" not in file.read_bytes(), file
    sessions = {one["id"]: get(gateway, f"/v1/lifelong/sessions/{one['id']}") for one in get(gateway, "/v1/lifelong/sessions")["data"]}
    answers = [step for one in sessions.values() for episode in one["episodes"] for step in episode["steps"] if step["type"] == "action"]
    assert sum(bool(step["text"]) for step in answers) == 1, "only the other chat still has an answer"
    client.say("we go on")
    assert client.messages[-1]["content"] == "I repeat: we go on"


def test_commands_show_sessions_and_runs_by_the_id_of_any_answer(gateway: RunningGateway, tmp_path: Path) -> None:
    client = Client(gateway, **{"X-Lifelong-Session": "mine"})
    client.say("look up the thing")
    client.say("thank you")

    def command(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, "--home", str(tmp_path)])
        assert result.exit_code == 0, result.output
        return result.output

    assert "2 episodes  mine" in command("sessions")
    assert json.loads(command("sessions", "--json"))[0]["episodes"] == 2
    assert "I repeat: thank you" in command("show", client.id)
    whole = command("show", "mine")
    assert "found it" in whole
    assert "I repeat: thank you" in whole
    assert len(json.loads(command("show", "mine", "--json"))) == 2
    missing = CliRunner().invoke(app, ["show", "nobody", "--home", str(tmp_path)])
    assert isinstance(missing.exception, NothingFound)


def test_no_sessions_yet(tmp_path: Path) -> None:
    Record(tmp_path / "record.sqlite3").close()
    assert "no sessions yet" in CliRunner().invoke(app, ["sessions", "--home", str(tmp_path)]).output


CLIENTS: dict[str, dict[str, str]] = {
    "claude-code": {"x-claude-code-session-id": "5e55"},
    "codex": {"session-id": "5e55", "thread-id": "5e55", "x-client-request-id": "5e55"},
    "opencode": {"x-session-id": "ses_5e55", "x-session-affinity": "ses_5e55"},
    "open-webui": {"X-OpenWebUI-Chat-Id": "5e55"},
    "qwen-code": {"X-Qwen-Code-Session-Id": "5e555e55"},
    "cline": {},
    "continue": {"x-stainless-retry-count": "0"},
    "langchain": {"x-stainless-retry-count": "0"},
}
"""How eight clients mark their sessions; the conversations are made up."""
SIDE_CALLS = {
    "opencode": ({"role": "system", "content": "You are a title generator. Generate a brief title of the conversation."}, {}),
    "open-webui": ({"role": "system", "content": "Be helpful."}, {"X-OpenWebUI-Task": "title_generation"}),
}


@pytest.mark.parametrize("named", [True, False], ids=["with its headers", "with all headers removed"])
@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_every_clients_conversation_is_one_session_of_two_episodes(gateway: RunningGateway, client: str, named: bool) -> None:
    headers = CLIENTS[client] if named else {}
    if side := SIDE_CALLS.get(client):
        body = {"messages": [side[0], {"role": "user", "content": "look up the file"}]}
        gateway.post("/v1/chat/completions", body, **headers, **(side[1] if named or client == "open-webui" else {}))
    stranger = Client(gateway)
    one = Client(gateway, **headers)
    for number, text in enumerate(("look up the file", "thank you")):
        one.messages = [{"role": "system", "content": f"git status {number}"}, *(m for m in one.messages if m["role"] != "system")]
        one.say(text)
        stranger.say(f"something else {number}")
    found = get(gateway, "/v1/lifelong/sessions")["data"]
    assert sorted(session["episodes"] for session in found) == [2, 2]


def test_a_history_that_a_client_compacts_within_a_turn_stays_one_run(gateway: RunningGateway) -> None:
    def ask(kind: str, *messages: dict[str, Any], tools: bool = True) -> dict[str, Any]:
        about = {"turn_id": "t1", "request_kind": kind}
        headers = {"thread-id": "s", "x-codex-turn-metadata": json.dumps(about)}
        body = {"messages": list(messages), **({"tools": [TOOL]} if tools else {})}
        response = gateway.post("/v1/chat/completions", body, **headers)
        assert response.status_code == 200, response.text
        return dict(response.json()["choices"][0]["message"])

    question = {"role": "user", "content": "look up the file"}
    called = ask("turn", question)
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "found"}
    ask("compaction", question, called, result, {"role": "user", "content": "Write a summary for whoever goes on."}, tools=False)
    ask("turn", question, {"role": "user", "content": "What happened: it was found."})
    [session] = get(gateway, "/v1/lifelong/sessions")["data"]
    [episode] = get(gateway, f"/v1/lifelong/sessions/{session['id']}")["episodes"]
    assert (session["id"], episode["task"]) == ("codex-s", "look up the file")
    assert [step["type"] for step in episode["steps"]] == ["observation", "action", "tool_result", "action"]


def test_who_asks_again_after_a_refusal_is_not_taken_for_a_stranger_who_began_alike(
    gateway: RunningGateway, upstream: ScriptedUpstream
) -> None:
    Client(gateway).say("look up the nightly report")
    script, upstream.script = upstream.script, lambda path, body: (503, {"Retry-After": "1"}, b"{}")
    messages = [{"role": "user", "content": "look up the nightly report"}]
    assert gateway.post("/v1/chat/completions", {"messages": messages, "tools": [TOOL]}).status_code == 503
    upstream.script = script
    Client(gateway, **{"x-stainless-retry-count": "1"}).say("look up the nightly report")
    found = [get(gateway, f"/v1/lifelong/sessions/{one['id']}") for one in get(gateway, "/v1/lifelong/sessions")["data"]]
    assert [[types(episode) for episode in one["episodes"]] for one in found] == [[["observation", "action", "tool_result", "action"]]] * 2
