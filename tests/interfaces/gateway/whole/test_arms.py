"""What each arm is shown, and what is told of the effect."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_gateway import RunningGateway
from scripted_upstream import MODEL, PATIENT, Script, ScriptedUpstream, passing_gateway

QUESTION = "summarise report number 3 for the sales team"


@pytest.fixture
def script() -> Script:
    return lambda path, body: "done"


def asked(text: str) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}]}


def taught(home: Path, upstream: ScriptedUpstream, **settings: object) -> RunningGateway:
    """A gateway whose home has corrections, opened again with other settings."""
    gateway = passing_gateway(home, upstream, PATIENT)
    for number in range(12):
        body = asked(f"summarise report number {number % 6} for the sales team")
        id = gateway.post("/v1/chat/completions", body).headers["x-lifelong-episode"]
        gateway.post("/feedback", {"episode_id": id, "success": False, "correction": "in one table"})
    gateway.close()
    return passing_gateway(home, upstream, PATIENT, **settings)


def test_the_placebo_is_as_long_as_memory_and_says_nothing_of_it(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    gateway = taught(tmp_path, upstream)
    gateway.post("/v1/chat/completions", asked(QUESTION))
    [treated] = upstream.bodies[-1]["messages"]
    gateway.close()
    gateway = passing_gateway(tmp_path, upstream, PATIENT, **{"wake.placebo_share": 1})
    answer = gateway.post("/v1/chat/completions", asked(QUESTION))
    [placebo] = upstream.bodies[-1]["messages"]
    assert "in one table" in treated["content"]
    assert "<memory>" in placebo["content"]
    assert "in one table" not in placebo["content"]
    assert 0 <= len(treated["content"]) - len(placebo["content"]) < 16
    episode = gateway.record.episodes.get(answer.headers["x-lifelong-episode"])
    assert (episode.placebo, episode.control, episode.offered, episode.lessons) == (True, False, True, ())
    # The next request of the session stands behind the same placebo.
    turns = [*asked(QUESTION)["messages"], {"role": "assistant", "content": "done"}, {"role": "user", "content": "and number 4 likewise"}]
    gateway.post("/v1/chat/completions", {"model": MODEL, "messages": turns})
    assert upstream.bodies[-1]["messages"][0] == placebo
    gateway.close()


def test_the_control_arm_sends_the_clients_bytes(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    gateway = taught(tmp_path, upstream, **{"wake.control_share": 1})
    body = json.dumps(asked(QUESTION), indent=3).encode()
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert upstream.seen[-1][2] == body
    assert gateway.record.episodes.get(answer.headers["x-lifelong-episode"]).control
    gateway.close()


def test_the_control_arm_waits_for_no_memory_and_is_told_what_there_was(
    tmp_path: Path, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = taught(tmp_path, upstream, **{"wake.control_share": 1})
    encoder = gateway.learner._components.encoder
    encode, before = encoder.encode, len(upstream.seen)
    late: list[bool] = []

    def patient(texts: Sequence[str]) -> Any:
        until = time.monotonic() + 3
        while len(upstream.seen) == before and time.monotonic() < until:
            time.sleep(0.001)
        late.append(len(upstream.seen) == before)
        return encode(texts)

    monkeypatch.setattr(encoder, "encode", patient)
    answer = gateway.post("/v1/chat/completions", asked(QUESTION))
    assert not any(late), "the request went on while memory was asked"
    episode = gateway.record.episodes.get(answer.headers["x-lifelong-episode"])
    assert (episode.control, episode.offered, episode.lessons) == (True, True, ())
    gateway.close()


def test_the_effect_is_told_by_tenant_and_skill(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    gateway = taught(tmp_path, upstream, **{"wake.control_share": 0.4, "wake.placebo_share": 0.3})
    for number in range(12):
        body = asked(f"summarise report number {number % 6} for the sales team, please ({number})")
        id = gateway.post("/v1/chat/completions", body, **{"x-lifelong-session": f"s{number}"}).headers["x-lifelong-episode"]
        treated = not (gateway.record.episodes.get(id).control or gateway.record.episodes.get(id).placebo)
        gateway.post("/v1/lifelong/outcome", {"id": id, "success": treated})
    effect = httpx.get(f"{gateway.url}/v1/lifelong/effect").json()
    found = {(one["arm"], one["measure"]): one for one in effect["tenant"]}
    assert {arm for arm, _ in found} == {"control", "placebo"}
    assert {measure for _, measure in found} == {"success", "tokens", "seconds"}
    for arm in ("control", "placebo"):
        success = found[arm, "success"]
        # The corrected runs before were treated and failed.
        assert 0 < success["difference"] < 1
        assert success["other"] == 0
        assert success["ci95"][0] < success["difference"] < success["ci95"][1]
        assert found[arm, "tokens"]["treated"] == found[arm, "tokens"]["other"] == 5
    assert set(effect["skills"]) == {"chat"}
    assert (effect["lessons"], effect["withdrawn"]) == ([], [])
    assert httpx.get(f"{gateway.url}/v1/lifelong/effect", headers={"X-Lifelong-Tenant": "ann"}).json()["tenant"] == []
    gateway.close()
