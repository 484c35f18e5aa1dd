"""An engine that answers from a function and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lifelong.core import Adapter, Settings, Usage
from lifelong.memory import Record, VectorIndex
from lifelong.orchestrator import Components, LifelongLearner
from lifelong.perception import HashedEncoder
from lifelong.serving import ChatPiece, ChatReply, ChatRequest, Choice, in_one_piece


class ScriptedEngine:
    """Implements `Engine`; `answer` gets each request."""

    model = "scripted"

    def __init__(self, answer: Callable[[ChatRequest], str]) -> None:
        self._answer = answer
        self.requests: list[ChatRequest] = []
        self.batches: list[int] = []

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        self.requests += requests
        self.batches.append(len(requests))
        return [ChatReply(text=self._answer(r), usage=Usage(prompt_tokens=10, completion_tokens=2), logprob=-0.1) for r in requests]

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield from in_one_piece(self.chat([request])[0])

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        return Choice(index=0, logprobs=tuple(0.0 for _ in options), usage=Usage())

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def publish(self, adapter: Adapter) -> None:
        pass

    def retire(self, name: str) -> None:
        pass

    def close(self) -> None:
        pass


def open_scripted(home: Path, **values: Any) -> LifelongLearner:
    """A learner whose engine says "done" to everything, with a hashed encoder: for what needs no model."""
    settings = Settings(home=home).with_values({"wake.control_share": 0.0, **values})
    home.mkdir(parents=True, exist_ok=True)
    record = Record(home / "record.sqlite3")
    engine, encoder, index = ScriptedEngine(lambda request: "done"), HashedEncoder(), VectorIndex(record.index_directory)
    return LifelongLearner(Components(settings=settings, engine=engine, encoder=encoder, record=record, index=index, base_path=home))
