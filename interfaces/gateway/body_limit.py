"""A ceiling on request bodies, kept while they arrive, whether or not their length was announced."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1 << 20
"""1 MiB: far more than any conversation that fits a context window."""


class BodyLimit:
    """ASGI middleware: reads at most `most` bytes, answers 413 beyond that, and hands on what it read."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read: list[Message] = []
        size = 0
        while True:
            message = await receive()
            read.append(message)
            size += len(message.get("body", b""))
            if size > self._most:
                text = f"the body is larger than {self._most} bytes; shorten the conversation"
                error = {"message": text, "type": "invalid_request_error", "param": None, "code": None}
                # What has not been read would be taken for the next request, so the connection ends here.
                await JSONResponse({"error": error}, 413, {"Connection": "close"})(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        waiting = iter(read)

        async def replay() -> Message:
            return next(waiting, None) or await receive()

        await self._app(scope, replay, send)
