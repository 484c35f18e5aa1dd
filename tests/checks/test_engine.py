"""The engine's contract check passes for the embedded engine and catches engines that break a law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lifelong.checks.engine import check_engine
from lifelong.core import Adapter
from lifelong.serving import ChatReply, ChatRequest, Choice, EmbeddedEngine


def test_the_embedded_engine_keeps_the_laws(tiny_model: Path, tiny_adapter: Callable[..., Adapter]) -> None:
    check_engine(EmbeddedEngine(tiny_model, dtype="float32", device="cpu"), adapter=tiny_adapter("law-v1", seed=1))


class Reversed(EmbeddedEngine):
    """Hands replies back in the wrong order."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return super().chat(requests)[::-1]


class Boastful(EmbeddedEngine):
    """Surer than sure."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return [replace(reply, logprob=0.5) for reply in super().chat(requests)]


class Unconstrained(EmbeddedEngine):
    """Overlooks the choices."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return super().chat([replace(request, choices=()) for request in requests])


class FirstOption(EmbeddedEngine):
    """Always takes the first option."""

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        return replace(super().choose(request, options), index=0)


class OneAdapter(EmbeddedEngine):
    """Answers everything with the base."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        super().chat(requests)
        return super().chat([replace(request, adapter="") for request in requests])


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Reversed, "order"),
        (Boastful, "at most 0"),
        (Unconstrained, "one of the choices"),
        (FirstOption, "likeliest|order of the options"),
        (OneAdapter, "changes the answers"),
    ],
)
def test_a_broken_law_is_found(tiny_model: Path, tiny_adapter: Callable[..., Adapter], broken: type[EmbeddedEngine], law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_engine(broken(tiny_model, dtype="float32", device="cpu"), adapter=tiny_adapter("law-v1", seed=1))
