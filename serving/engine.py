"""`Engine`, the interface to a language model, and its requests and replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..core import Adapter, Message, ToolCall, ToolSpecification, Usage


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """One conversation that wants its next turn."""

    messages: Sequence[Message]
    """The conversation so far; the last turn is the user's or a tool's."""
    adapter: str = ""
    """A published adapter's name, empty for the base model."""
    max_tokens: int = 128
    """Most tokens of the reply."""
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0
    """Seed of sampling; without effect when greedy."""
    choices: Sequence[str] = ()
    """When given, the reply is constrained to be exactly one of these, token by token."""
    tools: Sequence[ToolSpecification] = ()
    """Tools that the reply may call."""


@dataclass(frozen=True, kw_only=True)
class ChatReply:
    """The next turn."""

    text: str
    """What the model wrote, without the end marker."""
    usage: Usage
    """Tokens; seconds are shared out over the batch."""
    logprob: float
    """Mean natural-log probability of the written tokens, at most 0; larger is surer. Minus infinity where the server gives none."""
    finished: bool = True
    """False when `max_tokens` cut it off."""
    tool_calls: tuple[ToolCall, ...] = ()
    """The tools that the reply calls, where the engine reads them out of what the model wrote; `text` is then what it says beside."""


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


UNKNOWN_CONTEXT = 4096
"""Tokens that a model is taken to read where its engine does not say: fewer than any that is served today for agents."""


def context_of(engine: object) -> int:
    """Tokens that a prompt and its answer may have together: the engine's `context`, where it has one."""
    known = getattr(engine, "context", None)
    return known if isinstance(known, int) and known > 0 else UNKNOWN_CONTEXT


@runtime_checkable
class Engine(Protocol):
    """Where a model runs. Members: `EmbeddedEngine`, `VLLMEngine`, `OpenAIEngine`; `checks.check_engine` states the rules.

    Every method raises `EngineUnreachable` when the model cannot be asked at all. An engine may have `context`, the tokens that a prompt
    and its answer may have together.
    """

    @property
    def model(self) -> str:
        """Name or path of the base model, as adapters record it."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Next turns, one a request and in their order; adapters may differ within the batch."""

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
