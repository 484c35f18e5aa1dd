"""The plain proxy passes on what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from lifelong.evals.suites.serving.plain_proxy import create_app


def test_the_plain_proxy_passes_status_body_and_type_on() -> None:
    class Pieces(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

    def upstream(request: httpx.Request) -> httpx.Response:
        assert request.read() == b"asked"
        return httpx.Response(429, headers={"content-type": "text/event-stream"}, stream=Pieces())

    async def run() -> httpx.Response:
        app = create_app("http://upstream", httpx.MockTransport(upstream))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://proxy") as client:
            return await client.post("/v1/chat/completions", content=b"asked")

    answer = asyncio.run(run())
    assert (answer.status_code, answer.content) == (429, b"one two")
    assert answer.headers["content-type"].startswith("text/event-stream")
