"""Limits that hold before a request is read: refused at its head, or bounded while its body arrives."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import error_body
from .requests import refusal

MOST_BYTES = 1 << 20
"""1 MiB: far more than any conversation that fits a context window."""


class BodyLimit:
    """ASGI middleware: refuses by the head, reads at most `most` bytes, answers 413 beyond that, and hands on what it read.

    `hosts` are the names under which the gateway answers; `*` among them allows any.
    """

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES, hosts: Iterable[str] = ("*",)) -> None:
        self._app = app
        self._most = most
        self._hosts = frozenset(host.strip().lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refused := refusal(scope, self._hosts):
            await _refuse(*refused, scope, receive, send)
            return
        read: list[Message] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # the client left before its request was whole
            read.append(message)
            size += len(message.get("body", b""))
            if size > self._most:
                await _refuse(413, f"the body is larger than {self._most} bytes; shorten the conversation", scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        scope["lifelong.body_bytes"] = size
        waiting = iter(read)

        async def replay() -> Message:
            return next(waiting, None) or await receive()

        await self._app(scope, replay, send)


async def _refuse(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    # What has not been read would be taken for the next request, so the connection ends with the answer.
    await JSONResponse(error_body("invalid_request_error", text), status, {"Connection": "close"})(scope, receive, send)
