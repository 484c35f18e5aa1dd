"""Pages of other origins may ask where the setting lists them, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from running_gateway import EchoEngine, RunningGateway

from lifelong.core.settings import GatewaySettings

PAGE = "https://chat.example.org"
BODY = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    opened = RunningGateway(tmp_path, EchoEngine(), GatewaySettings(origins=f"{PAGE}, http://localhost:3000"))
    yield opened
    opened.close()


def preflight(gateway: RunningGateway, origin: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}
    return httpx.options(f"{gateway.url}/v1/chat/completions", headers=asked)


def test_a_listed_page_may_ask_and_read_answers_and_errors(gateway: RunningGateway) -> None:
    allowed = preflight(gateway, PAGE)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    answer = gateway.post("/v1/chat/completions", BODY, Origin=PAGE)
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "X-Lifelong-Session" in answer.headers["access-control-expose-headers"]
    streamed = gateway.post("/v1/chat/completions", {**BODY, "stream": True}, Origin=PAGE)
    assert streamed.headers["access-control-allow-origin"] == PAGE
    assert "[DONE]" in streamed.text
    for refused in (
        gateway.post("/v1/chat/completions", {}, Origin=PAGE),
        gateway.post("/feedback", {"id": "x", "success": True}, Origin=PAGE),
    ):
        assert refused.status_code in (400, 404)
        assert refused.headers["access-control-allow-origin"] == PAGE


def test_other_pages_may_not(gateway: RunningGateway) -> None:
    assert preflight(gateway, "https://evil.example").status_code == 400
    answer = gateway.post("/v1/chat/completions", BODY, Origin="https://evil.example")
    assert "access-control-allow-origin" not in answer.headers
    refused = httpx.get(f"{gateway.url}/v1/models", headers={"Host": "evil.example", "Origin": PAGE})
    assert refused.status_code == 421, "a listed origin opens no other host"


def test_without_the_setting_no_page_may(tmp_path: Path) -> None:
    gateway = RunningGateway(tmp_path, EchoEngine())
    try:
        assert preflight(gateway, PAGE).status_code == 405
        assert "access-control-allow-origin" not in gateway.post("/v1/chat/completions", BODY, Origin=PAGE).headers
    finally:
        gateway.close()
