"""`Codec`: how one protocol of chat clients is read and answered, apart from the server that carries it.

A codec knows the bytes of a protocol and nothing of tenants, memory or HTTP; the gateway knows those and no protocol.
`lifelong.checks.check_codec` holds every codec to these rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from .messages import Message
from .tasks import Usage


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A request for an answer, whatever the protocol it came in."""

    messages: tuple[Message, ...]
    """All turns in their order; the last is the user's and holds text."""
    model: str
    """The model that the client asks for."""
    user: str = ""
    """Who asks, where the body says so; empty where it does not."""
    stream: bool = False
    """Whether the answer is wanted in pieces."""
    include_usage: bool = False
    """Whether a stream ends with its token counts."""
    temperature: float = 0.0
    """0 takes the likeliest token."""
    max_tokens: int | None = None
    """Most tokens of the answer; None leaves it to the settings."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, whatever the protocol it goes out in."""

    id: str
    """Names the answer, so that feedback can be given on it."""
    text: str
    """The answer."""
    model: str
    """The model that clients see."""
    created: int
    """Seconds since the epoch."""
    usage: Usage = field(default_factory=Usage)
    """Tokens read and written."""
    cut: bool = False
    """Whether the answer ended at `max_tokens`."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What lies behind the answer, for clients that show it; JSON values."""


@runtime_checkable
class Codec(Protocol):
    """One protocol of chat clients. Pure: the same input gives the same output, and input is never changed."""

    name: str
    """Short name, such as `openai-chat`."""
    path: str
    """Where clients post requests, such as `/v1/chat/completions`."""

    def parse(self, body: object) -> Conversation:
        """Read a decoded JSON body. Unknown fields are passed over. Raises `MalformedTask`, which names the field."""

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        """The whole answer as a JSON object."""

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        """The answer in pieces, each a complete event of the protocol."""

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """An error as a JSON object; `kind` is one of the gateway's error types."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a request's body."""
