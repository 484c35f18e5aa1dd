"""`Codec`: how one protocol of chat clients is read and answered, apart from the server that carries it.

A codec knows the bytes of a protocol and nothing of tenants, memory or HTTP; the gateway knows those and no protocol.
`lifelong.checks.check_codec` holds every codec to these rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from .messages import Message, ToolCall
from .tasks import Usage


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A request for an answer, whatever the protocol it came in."""

    messages: tuple[Message, ...]
    """All turns in their order, in OpenAI's shape; the last, the system's aside, is a user's that says something, or a tool's result."""
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
    """Most tokens of the answer; None: as many as the model's context has room for."""
    count: int = 1
    """How many answers are wanted."""
    sources: tuple[int, ...] = ()
    """Where each message stands in the body's list, -1 for one from elsewhere; empty where the two are the same."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Specifications of the tools that the model may call, in OpenAI's shape."""


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
    tool_calls: tuple[ToolCall, ...] = ()
    """The tools that it calls; `text` is what it says beside."""
    stop: str = ""
    """The text of those it was told to stop at that ended it; empty where none did, or nobody knows which."""
    logprobs: tuple[tuple[str, float], ...] = ()
    """Its tokens with their natural-log probabilities, where they were asked for."""
    others: tuple[Reply, ...] = ()
    """Further answers, where several were asked for and the protocol has them."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What lies behind the answer, for clients that show it; JSON values."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An assistant's turn as an upstream gave it, put together from its bytes."""

    id: str
    """What the upstream calls it; empty where it names none."""
    message: Message
    """The turn: text and tool calls."""
    usage: Usage = field(default_factory=Usage)
    """Tokens, where the upstream says them."""
    finish_reason: str = ""
    """Why it ended, in the protocol's own words."""
    complete: bool = True
    """Whether it came to its end; what was cut off on the way is not learned from."""


class StreamReader(Protocol):
    """Puts an answer together while its stream passes by. One for each stream."""

    def take(self, name: str, data: str) -> bool:
        """Read one event, its name (empty where the protocol has none) and its data; whether it is the one that ends the stream."""

    def answer(self) -> Answer | None:
        """What was read so far; None where that is no answer."""


class ReplyWriter(Protocol):
    """Writes one answer as a stream. What each method returns are complete events of the protocol, in the order of the calls."""

    def begin(self) -> str:
        """What stands before the answer."""

    def text(self, piece: str) -> str:
        """A further piece of the text, which is not empty."""

    def end(self, reply: Reply) -> str:
        """What stands after the text: the calls of tools, why it ended, what it cost. The text of `reply` is that of the pieces."""


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


@runtime_checkable
class PassingCodec(Codec, Protocol):
    """A protocol that somebody else's server may answer: requests are passed on to it, and what it answers is read on the way."""

    member: str
    """The field of a body that holds the conversation, as a list of messages or one text."""

    def error_events(self, kind: str, message: str) -> bytes:
        """How a stream that has begun says that it failed, its end included."""

    def read_reply(self, body: Mapping[str, Any]) -> Answer | None:
        """Read a whole answer of an upstream; None where that is no answer."""

    def read_stream(self) -> StreamReader:
        """Something that reads a stream of an upstream."""


@runtime_checkable
class EngineCodec(PassingCodec, Protocol):
    """A protocol in which an engine of ours can be asked directly: its options, tools, and a stream token by token."""

    id_prefix: str
    """What ids of answers begin with."""

    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The options of sampling and of tools that a body sets, by the names that they have in a request to an engine.

        Those that are as they are anyway are left out. Raises `MalformedTask`, which names the field, for one that engines of ours do
        not have, or of the wrong type.
        """

    def writer(self, reply: Reply, conversation: Conversation) -> ReplyWriter:
        """Writes an answer of which `id`, `model` and `created` are known, and the tokens read where `reply` says them."""
