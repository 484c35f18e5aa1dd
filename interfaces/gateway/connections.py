"""Connections that send half a request: bounded in number, in time and in memory.

Every complete request is answered under its own rules; what is bounded here is what has not become one. A connection must complete
its request's head and body within a deadline. Where too many are open, or half-sent bodies hold too much memory, the connections
that have waited longest without a whole request are closed, so that a client that speaks properly is always let in.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_PENDING_BYTES = 64 << 20
"""64 MiB of bodies that are not complete, over all connections."""

REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class ConnectionPhase(Enum):
    """Where a connection stands."""

    IDLE = "idle"
    """Between two requests."""
    HEAD = "head"
    """A request's head is awaited."""
    BODY = "body"
    """A request's body is awaited."""
    ANSWER = "answer"
    """A whole request is being answered."""


class ConnectionGuard:
    """What all connections of a server share: their limits and who waits. Use from one event loop."""

    def __init__(
        self, *, max_connections: int, head_seconds: float, body_seconds: float, max_pending_bytes: int = MOST_PENDING_BYTES
    ) -> None:
        self._max_connections = max_connections
        self._max_pending_bytes = max_pending_bytes
        self.seconds = {ConnectionPhase.HEAD: head_seconds, ConnectionPhase.BODY: body_seconds}
        """Deadline of each phase that has one."""
        self.open = 0
        """Connections that are open now."""
        self.evicted = 0
        """Connections closed since the start to make room."""
        self._waiting: dict[GuardedProtocol, None] = {}  # oldest first
        self.pending_bytes = 0
        """Bytes of incomplete requests that are held now."""

    def admit(self, connection: GuardedProtocol) -> bool:
        """Count a new connection in; False where there is no room and nobody whose place it could take."""
        if self.open >= self._max_connections and not self._evict():
            return False
        self.open += 1
        return True

    def leave(self, connection: GuardedProtocol) -> None:
        """Count a connection out."""
        self.open -= 1
        self.wait(connection, False)

    def wait(self, connection: GuardedProtocol, waits: bool) -> None:
        """Note whether a connection waits for its client; it goes to the end of the queue."""
        self._waiting.pop(connection, None)
        if waits:
            self._waiting[connection] = None

    def pending(self, change: int) -> None:
        """Note bytes of incomplete requests that came or went; closes the oldest bodies where they exceed the limit."""
        self.pending_bytes += change
        while change > 0 and self.pending_bytes > self._max_pending_bytes and self._evict(ConnectionPhase.BODY):
            pass

    def _evict(self, phase: ConnectionPhase | None = None) -> bool:
        oldest = next((one for one in self._waiting if phase is None or one.phase is phase), None)
        if oldest is None:
            return False
        self.evicted += 1
        oldest.drop()
        return True


class GuardedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 connection with a deadline for every phase that waits for the client."""

    guard: ConnectionGuard

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.phase = ConnectionPhase.IDLE
        """Where it stands."""
        self._deadline: asyncio.TimerHandle | None = None
        self._pending = 0
        self._admitted = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: it is let in, or told to come back."""
        super().connection_made(transport)
        self._admitted = self.guard.admit(self)
        if not self._admitted:
            transport.write(REFUSED)
            transport.close()
            return
        self._enter(ConnectionPhase.HEAD)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request have come."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._enter(self._current(ConnectionPhase.HEAD))
        if self.phase in (ConnectionPhase.HEAD, ConnectionPhase.BODY):
            self._pending += len(data)
            self.guard.pending(len(data))

    def on_response_complete(self) -> None:
        """A request is answered; the next may have come already."""
        super().on_response_complete()
        self._enter(self._current(ConnectionPhase.IDLE))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(exc)
        self._depart()

    def drop(self) -> None:
        """Close at once, whatever was sent so far."""
        self._depart()
        self.transport.abort()

    def _depart(self) -> None:
        self._release()
        if self._admitted:
            self._admitted = False
            self.guard.leave(self)

    def _current(self, otherwise: ConnectionPhase) -> ConnectionPhase:
        if self.cycle is None or self.cycle.response_complete:
            return otherwise
        return ConnectionPhase.BODY if self.cycle.more_body else ConnectionPhase.ANSWER

    def _enter(self, phase: ConnectionPhase) -> None:
        if phase is self.phase or self.transport.is_closing():
            return
        self.phase = phase
        self._release()
        self.guard.wait(self, phase is not ConnectionPhase.ANSWER)
        if phase in self.guard.seconds:
            self._deadline = self.loop.call_later(self.guard.seconds[phase], self.drop)

    def _release(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self.guard.pending(-self._pending)
        self._pending = 0


def guarded(guard: ConnectionGuard) -> type[GuardedProtocol]:
    """The class of connections that share `guard`, as uvicorn's `http` setting takes it."""
    return type("Connection", (GuardedProtocol,), {"guard": guard})
