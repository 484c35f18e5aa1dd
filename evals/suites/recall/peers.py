"""`Peer`: memory layers of others, where they are installed, on the same questions with the same encoder and no model's calls.

Mem0 and LangMem ask a language model what of a conversation to keep. Without one each keeps the turns as they were said, which both
offer: `infer=False` of Mem0, and the store below LangMem's tools, which is LangGraph's. So what is measured is how they find, not
what a model would have chosen to write down.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from ....memory.recall.search import search
from ....memory.turns.passages import Kind
from ....perception import Encoder
from ...data.dialogues import Dialogue
from .asked import TENANT, recorded

USER = "somebody"
TAKEN = 20
"""Turns asked for."""


class Peer(Protocol):
    """A memory that is told turns and asked questions."""

    def write(self, number: int, text: str) -> None:
        """Take in the turn of this number in its dialogue."""

    def read(self, question: str) -> list[int]:
        """Numbers of the turns found, at most `TAKEN`, the best first."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One peer on one dialogue."""

    orders: tuple[tuple[int, ...], ...]
    """Turns found for each question."""
    write_ms: float
    """Milliseconds to take in one turn, its embedding included."""
    read_ms: tuple[float, ...]
    """Milliseconds of each question, its embedding included."""


def installed() -> dict[str, Callable[[ExitStack, Encoder], Peer]]:
    """Peers that can be imported here, by name."""
    found = {"mem0": ("mem0", _mem0), "langmem": ("langmem", _langmem)}
    return {name: made for name, (package, made) in found.items() if find_spec(package) is not None}


def measured(make: Callable[[ExitStack, Encoder], Peer], dialogue: Dialogue, encoder: Encoder) -> Measured:
    """Tell a new peer the dialogue and ask it all questions."""
    with ExitStack() as stack:
        peer = make(stack, encoder)
        begun = time.perf_counter()
        for number, said in enumerate(dialogue.turns):
            peer.write(number, f"{said.speaker}: {said.text}")
        written = time.perf_counter() - begun
        return _asked(peer.read, dialogue, 1000 * written / len(dialogue.turns))


def measured_here(dialogue: Dialogue, encoder: Encoder) -> Measured:
    """The same of this project: what a search by hand of the product's own record finds."""
    now = max(said.created for said in dialogue.turns) + 86_400
    begun = time.perf_counter()
    with recorded(dialogue, encoder) as (record, index, rows):
        written = time.perf_counter() - begun

        def read(question: str) -> list[int]:
            vector = encoder.encode([question])[0]
            kinds = tuple(Kind)
            hits = search(record, index, question, vector, tenant=TENANT, limit=TAKEN, now=now, kinds=kinds)
            return [rows[hit.number] for hit in hits]

        return _asked(read, dialogue, 1000 * written / len(dialogue.turns))


def _asked(read: Callable[[str], list[int]], dialogue: Dialogue, write_ms: float) -> Measured:
    orders: list[tuple[int, ...]] = []
    times: list[float] = []
    for asked in dialogue.questions:
        begun = time.perf_counter()
        orders.append(tuple(read(asked.text)))
        times.append(1000 * (time.perf_counter() - begun))
    return Measured(orders=tuple(orders), write_ms=write_ms, read_ms=tuple(times))


class _Mem0:
    """Mem0 with its local Qdrant; turns are its memories."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory
        self._numbers: dict[str, int] = {}

    def write(self, number: int, text: str) -> None:
        """Take in a turn without asking a model."""
        added = self._memory.add([{"role": "user", "content": text}], user_id=USER, infer=False)
        self._numbers[added["results"][0]["id"]] = number

    def read(self, question: str) -> list[int]:
        """Turns found, without its floor."""
        found = self._memory.search(question, filters={"user_id": USER}, top_k=TAKEN, threshold=0.0)
        return [self._numbers[hit["id"]] for hit in found["results"]]


def _mem0(stack: ExitStack, encoder: Encoder) -> Peer:
    # Read at its import: nothing is told to anybody.
    os.environ["MEM0_TELEMETRY"] = "False"
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lifelong-bench-"))
    os.environ["MEM0_DIR"] = folder
    # Neither is a dependency of any extra: whoever wants the comparison installs it.
    made = import_module("mem0").Memory
    logging.getLogger("mem0").setLevel(logging.ERROR)
    memory = made.from_config(
        {
            "embedder": {"provider": "langchain", "config": {"model": _embeddings(encoder), "embedding_dims": encoder.dimensions}},
            "vector_store": {"provider": "qdrant", "config": {"path": f"{folder}/qdrant", "embedding_model_dims": encoder.dimensions}},
            # Never asked, but it must be named.
            "llm": {"provider": "openai", "config": {"api_key": "none", "openai_base_url": "http://127.0.0.1:9/v1"}},
            "history_db_path": f"{folder}/history.db",
        }
    )
    return _Mem0(memory)


def _embeddings(encoder: Encoder) -> Any:
    from langchain_core.embeddings import Embeddings

    class Encoded(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [list(map(float, row)) for row in encoder.encode(texts)]

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    return Encoded()


class _LangMem:
    """LangMem's two tools over LangGraph's store, as an agent would call them."""

    def __init__(self, manage: Callable[..., str], find: Callable[..., tuple[str, list[Any]]]) -> None:
        self._manage, self._find = manage, find
        self._numbers: dict[str, int] = {}

    def write(self, number: int, text: str) -> None:
        """Take in a turn."""
        self._numbers[self._manage(content=text).rpartition(" ")[2]] = number

    def read(self, question: str) -> list[int]:
        """Turns found."""
        return [self._numbers[item.key] for item in self._find(question, limit=TAKEN)[1]]


def _langmem(stack: ExitStack, encoder: Encoder) -> Peer:
    tools = import_module("langmem")
    store = import_module("langgraph.store.memory").InMemoryStore(index={"dims": encoder.dimensions, "embed": _embeddings(encoder)})
    manage = tools.create_manage_memory_tool((USER,), store=store)
    find = tools.create_search_memory_tool((USER,), store=store, response_format="content_and_artifact")
    return _LangMem(manage.func, find.func)
