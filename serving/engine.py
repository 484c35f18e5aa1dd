"""`Engine`, the interface to a language model, and its requests and replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal, Protocol, runtime_checkable

from ..core import Adapter, EngineUnreachable, MalformedTask, Message, ToolCall, ToolSpecification, Usage, check_cancelled
from .conversation_cache import ConversationCache

FinishReason = Literal["stop", "length", "tool_calls"]
"""Why a reply ended: by itself or at a stop text, at the most tokens it may have, with calls of tools."""


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """One conversation that wants its next turn. What an engine cannot do of it, it refuses by name; it drops nothing silently."""

    messages: Sequence[Message]
    """The conversation so far; the last turn is the user's or a tool's."""
    adapter: str = ""
    """A published adapter's name, empty for the base model."""
    max_tokens: int | None = 128
    """Most tokens of the reply; None: as many as the model's context has room for."""
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0
    """Seed of sampling; without effect when greedy."""
    choices: Sequence[str] = ()
    """When given, the reply is constrained to be exactly one of these, token by token."""
    grammar: str = ""
    """What the reply may be, in llguidance's form of Lark; only engines that have `grammars` take it. Not beside choices, tools or a
    response format."""
    tools: Sequence[ToolSpecification] = ()
    """Tools that the reply may call."""
    tool_choice: str = "auto"
    """`auto`: a text or calls; `none`: a text; `required`: calls; a tool's name: calls of this tool."""
    parallel_tool_calls: bool = True
    """Whether a reply may have more than one call."""
    stop: Sequence[str] = ()
    """Texts at which the reply ends; they do not stand in it."""
    top_p: float = 1.0
    """Sample among the likeliest tokens that together have at least this probability (nucleus sampling); 1: among all."""
    presence_penalty: float = 0.0
    """Taken from the logit of each token that was written already."""
    frequency_penalty: float = 0.0
    """Taken from the logit of each token, as often as it was written already."""
    logprobs: bool = False
    """Whether the reply's `tokens` are wanted."""
    cache: ConversationCache | None = field(default=None, compare=False, repr=False)
    """What the engine has read of this conversation before, kept by whoever leads it from turn to turn; engines that read elsewhere leave
    it alone."""
    response_format: Mapping[str, Any] | None = None
    """In OpenAI's shape: `{"type": "json_schema", "json_schema": {"name": ..., "schema": ...}}`, `json_object` or `text`."""


@dataclass(frozen=True, kw_only=True)
class TokenLogprob:
    """One written token."""

    token: str
    """Its text."""
    logprob: float
    """Its natural-log probability under the unconstrained model."""


@dataclass(frozen=True, kw_only=True)
class ChatReply:
    """The next turn."""

    text: str
    """What the model wrote, without the end marker."""
    usage: Usage
    """Tokens; seconds are shared out over the batch."""
    logprob: float
    """Mean natural-log probability of the tokens that the model chose, at most 0; larger is surer. Tokens that a grammar forces are not
    among them. Minus infinity where the server gives none."""
    finish_reason: FinishReason = "stop"
    """Why it ended."""
    stop: str = ""
    """The text of the request's `stop` at which it ended; empty where it ended otherwise, or the server does not say at which."""
    tool_calls: tuple[ToolCall, ...] = ()
    """The tools that the reply calls, where the engine reads them out of what the model wrote; `text` is then what it says beside."""
    tokens: tuple[TokenLogprob, ...] = ()
    """The written tokens, where the request wants their `logprobs`."""

    @property
    def finished(self) -> bool:
        """False when `max_tokens` cut it off."""
        return self.finish_reason != "length"


@dataclass(frozen=True, kw_only=True)
class ChatPiece:
    """A part of a reply, as soon as it is written. The texts of a reply's pieces, joined, are its text."""

    text: str = ""
    """What was written since the piece before."""
    reply: ChatReply | None = None
    """The whole reply, with the last piece alone: its calls of tools, what it cost and why it ended."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A ranking of given options."""

    index: int
    """Position of the best option."""
    logprobs: tuple[float, ...]
    """Length-normalised log-likelihood of every option, in the order given."""
    usage: Usage
    """Tokens read; the shared prefix counts once."""


@dataclass(frozen=True, kw_only=True)
class UpstreamAddress:
    """A server to which requests can be passed on, with what it takes to be let in. An engine that is one has it as `upstream`."""

    model: str
    """The model's name there."""
    url: str
    """Its address without `/v1` and without credentials."""
    key: str = field(default="", repr=False)
    """The key to send; empty: none."""
    user: str = field(default="", repr=False)
    """User name of Basic authentication, empty where there is none."""
    password: str = field(default="", repr=False)
    """Its password."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no client may see."""
        return tuple(secret for secret in (self.key, self.password) if secret)


_RANGES = {"temperature": (0.0, 100.0), "top_p": (0.0, 1.0), "presence_penalty": (-2.0, 2.0), "frequency_penalty": (-2.0, 2.0)}


def check_options(request: ChatRequest) -> None:
    """Raise `MalformedTask` with the name of an option that is out of its range."""
    if request.max_tokens is not None and request.max_tokens < 1:
        raise MalformedTask(f"max_tokens is {request.max_tokens}; it must be at least 1")
    for name, (least, most) in _RANGES.items():
        if not least <= (value := getattr(request, name)) <= most:
            raise MalformedTask(f"{name} is {value}; it must be from {least:g} to {most:g}")
    if request.top_p == 0:
        raise MalformedTask("top_p is 0; it must be above 0")
    beside = next((name for name in ("choices", "tools", "response_format") if getattr(request, name)), "")
    if request.grammar and beside:
        raise MalformedTask(f"a request has a grammar and {beside}; leave one of them out")
    if not all(request.stop):
        raise MalformedTask("a text of stop is empty; leave it out")
    check_tools(request.tools)


def check_tools(tools: Sequence[ToolSpecification]) -> None:
    """Raise `MalformedTask` for what is no tool with a name."""
    for tool in tools:
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise MalformedTask("each of tools must be of type 'function' with a function that has a name")


def in_one_piece(reply: ChatReply) -> Iterator[ChatPiece]:
    """The stream of an engine that has its replies whole."""
    yield ChatPiece(text=reply.text, reply=reply)


def whole_reply(pieces: Iterator[ChatPiece], cancelled: Event | None = None) -> ChatReply:
    """The reply at the end of a stream, which is closed; between two pieces it is given up where `cancelled` is set."""
    with closing(pieces) as stream:  # type: ignore[type-var]  # the streams of engines are generators
        for piece in stream:
            if piece.reply is not None:
                return piece.reply
            check_cancelled(cancelled)
    raise EngineUnreachable("the model's answer has no end; ask again, or see its log")


UNKNOWN_CONTEXT = 4096
"""Tokens that a model is taken to read where its engine does not say: fewer than any that is served today for agents."""


def context_of(engine: object) -> int:
    """Tokens that a prompt and its answer may have together: the engine's `context`, where it has one."""
    known = getattr(engine, "context", None)
    return known if isinstance(known, int) and known > 0 else UNKNOWN_CONTEXT


def takes_grammars(engine: object) -> bool:
    """Whether an engine constrains replies to a request's `grammar`: its `grammars`, where it has that."""
    return getattr(engine, "grammars", False) is True


@runtime_checkable
class Engine(Protocol):
    """Where a model runs. Members: `EmbeddedEngine`, `VLLMEngine`, `OpenAIEngine`; `checks.check_engine` states the rules.

    Every method raises `EngineUnreachable` when the model cannot be asked at all. An engine may have `context`, the tokens that a prompt
    and its answer may have together, and `grammars`, whether it takes a request's `grammar`; one without it refuses it by name.
    """

    @property
    def model(self) -> str:
        """Name or path of the base model, as adapters record it."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Next turns, one a request and in their order; adapters may differ within the batch."""

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """The next turn piece by piece, the same as `chat` gives; the last piece has the `reply`.

        Nothing is asked before the first piece is taken. Closing the iterator (a generator's `close`) ends the work on the reply.
        """

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        """Rank `options` as replies by log-likelihood divided by token count."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, for budgets."""

    def publish(self, adapter: Adapter) -> None:
        """Make an adapter available under its name. Raises `AdapterRejected` if it does not fit."""

    def retire(self, name: str) -> None:
        """Take an adapter away once requests in flight have ended. Unknown names are ignored."""

    def close(self) -> None:
        """Give back memory and stop what was started. May be called twice."""
