"""A proxy that passes everything on and learns nothing: `python -m lifelong.evals.suites.serving.plain_proxy PORT UPSTREAM`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


def create_app(upstream: str, transport: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """The proxy before a server; `transport` stands in the place of the network."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    client = httpx.AsyncClient(base_url=upstream, limits=limits, timeout=120, transport=transport)

    async def forward(request: Request) -> StreamingResponse:
        headers = {"content-type": request.headers.get("content-type", "application/json")}
        asked = client.build_request(request.method, request.url.path, content=await request.body(), headers=headers)
        answer = await client.send(asked, stream=True)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for piece in answer.aiter_raw():
                    yield piece
            finally:
                await answer.aclose()

        return StreamingResponse(body(), answer.status_code, media_type=answer.headers.get("content-type"))

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
