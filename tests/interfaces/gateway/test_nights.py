"""Nights over HTTP: begun without waiting, asked for by id, one at a time for a tenant, bounded over all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from running_gateway import EchoEngine, RunningGateway

from lifelong.core import NothingFound
from lifelong.interfaces.gateway.nights import MOST_NIGHTS, NightRequests
from lifelong.interfaces.gateway.workers import Overloaded
from lifelong.orchestrator import nights as background
from lifelong.orchestrator.run_state import Night, NightState


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    opened = RunningGateway(tmp_path, EchoEngine())
    yield opened
    opened.close()


def test_a_night_is_begun_asked_for_and_ends_with_its_reason(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        assert release.wait(30)
        return []

    monkeypatch.setattr(background, "sleep", slow)
    begun = gateway.post("/v1/lifelong/sleep", {})
    assert begun.status_code == 202
    assert begun.json()["state"] == "running"
    again = gateway.post("/v1/lifelong/sleep", {})
    assert (again.status_code, again.json()["id"]) == (200, begun.json()["id"])
    assert gateway.ask("answers go on meanwhile").choices[0].message.content == "ANSWERS GO ON MEANWHILE"
    url = f"{gateway.url}/v1/lifelong/nights/{begun.json()['id']}"
    assert httpx.get(url).json()["state"] == "running"
    assert httpx.get(url, headers={"X-Lifelong-Tenant": "ann"}).status_code == 404
    release.set()
    deadline = time.monotonic() + 30
    while (night := httpx.get(url).json())["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert night["state"] == "nothing_to_learn"
    assert night["reason"]
    assert {"pid", "host"} & set(night) == set()


def test_a_night_that_fails_loses_no_answer_and_says_why(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> list[object]:
        raise RuntimeError("the trainer broke")

    monkeypatch.setattr(background, "sleep", broken)
    id_ = gateway.post("/v1/lifelong/sleep", {}).json()["id"]
    deadline = time.monotonic() + 30
    while (night := httpx.get(f"{gateway.url}/v1/lifelong/nights/{id_}").json())["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (night["state"], "the trainer broke" in night["reason"]) == ("failed", True)
    assert gateway.ask("still here").choices[0].message.content == "STILL HERE"


def test_nights_of_nobody_are_not_found(gateway: RunningGateway) -> None:
    assert httpx.get(f"{gateway.url}/v1/lifelong/nights/none").status_code == 404
    assert gateway.post("/v1/lifelong/sleep", []).status_code == 400


class Sleeping:
    """A learner whose nights last until they are ended."""

    def __init__(self) -> None:
        self.nights: dict[str, Night] = {}

    def start_sleep(self, *, tenant: str = "default") -> str:
        running = next((id for id, one in self.nights.items() if one.tenant == tenant and one.state is NightState.RUNNING), "")
        id_ = running or f"n{len(self.nights)}"
        self.nights.setdefault(id_, Night(tenant=tenant, id=id_, pid=1, host="h", started=time.time()))
        return id_

    def night(self, id: str, *, tenant: str = "default") -> Night:
        if id not in self.nights:
            raise NothingFound("none")
        return self.nights[id]


def test_nights_are_bounded_over_all_tenants() -> None:
    learner = Sleeping()
    nights = NightRequests(learner)
    for number in range(MOST_NIGHTS):
        assert nights.begin(f"tenant {number}")[0] == 202
    with pytest.raises(Overloaded, match="nights run"):
        nights.begin("one more")
    assert nights.begin("tenant 3")[0] == 200
    learner.nights.clear()
    assert nights.begin("one more")[0] == 202
