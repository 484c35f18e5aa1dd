"""What holds before a request is read: refused at its head, bounded while its body arrives, decoded where it is compressed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...core import MalformedTask
from .errors import SHAPE, error_response
from .protocols.content_encoding import DECODERS, TooLarge, UnknownEncoding, decode
from .requests import refusal

MOST_BYTES = 1 << 20
"""1 MiB: far more than any conversation that fits a context window."""


class BodyLimit:
    """ASGI middleware: refuses by the head, reads at most `most` bytes, answers 413 beyond that, and hands on what it read, decoded.

    `hosts` are the names under which the gateway answers; `*` among them allows any. `shapes` are the shapes of errors by path.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int = MOST_BYTES,
        hosts: Iterable[str] = ("*",),
        shapes: Mapping[str, Callable[[str, str], dict[str, Any]]] | None = None,
    ) -> None:
        self._app = app
        self._shapes = shapes or {}
        self._most = most
        self._hosts = frozenset(host.strip().lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if shape := self._shapes.get(scope["path"]):
            scope[SHAPE] = shape
        if refused := refusal(scope, self._hosts):
            await _refuse(*refused, scope, receive, send)
            return
        encoding = b", ".join(value for name, value in scope["headers"] if name == b"content-encoding").decode("latin-1")
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
        if encoding:
            try:
                scope, read, size = await _decoded(scope, read, encoding, self._most)
            except MalformedTask as error:
                await _refuse(_status(error), str(error), scope, receive, send)
                return
        scope["lifelong.body_bytes"] = size
        waiting = iter(read)

        async def replay() -> Message:
            return next(waiting, None) or await receive()

        await self._app(scope, replay, send)


async def _decoded(scope: Scope, read: list[Message], encoding: str, most: int) -> tuple[Scope, list[Message], int]:
    """The request as if its body had come without an encoding. Raises `MalformedTask`."""
    body = await asyncio.to_thread(decode, b"".join(one.get("body", b"") for one in read), encoding, most)
    headers = [(name, value) for name, value in scope["headers"] if name not in (b"content-encoding", b"content-length")]
    headers.append((b"content-length", str(len(body)).encode()))
    return {**scope, "headers": headers}, [{"type": "http.request", "body": body, "more_body": False}], len(body)


def _status(error: MalformedTask) -> int:
    return 415 if isinstance(error, UnknownEncoding) else 413 if isinstance(error, TooLarge) else 400


async def _refuse(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    # What has not been read would be taken for the next request, so the connection ends with the answer.
    headers = {"Connection": "close", **({"Accept-Encoding": ", ".join(DECODERS)} if status == 415 else {})}
    await error_response(scope, status, "invalid_request_error", text, headers)(scope, receive, send)
