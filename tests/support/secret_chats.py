"""Chats of several tenants that quote, repeat and chain a secret word."""

from __future__ import annotations

import random
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scripted import ScriptedEngine, open_scripted

from lifelong.core import Message, Receipt, Task
from lifelong.memory.sqlite.database import Database
from lifelong.orchestrator import LifelongLearner
from lifelong.serving import ChatRequest


def secret(number: int) -> str:
    return "qz" + "".join(random.Random(number).choices(string.ascii_lowercase, k=12))


def echo(request: ChatRequest) -> str:
    """The worst model for an erasure: it repeats what it was shown."""
    return "I repeat: " + " ".join(message["content"] for message in request.messages)[-600:]


def open_echo(home: Path, **values: object) -> LifelongLearner:
    learner = open_scripted(home, **values)
    learner._components.engine = ScriptedEngine(echo)
    return learner


def files_with(home: Path, word: str) -> list[str]:
    return [path.name for path in sorted(home.rglob("*")) if path.is_file() and word.encode() in path.read_bytes()]


@dataclass
class Chats:
    """What clients of one home do; all of it is done through the public verbs."""

    learner: LifelongLearner
    turns: int = 0
    given: dict[str, list[str]] = field(default_factory=dict)
    """For each secret, the episodes in which a person said it."""
    tenant_of: dict[str, str] = field(default_factory=dict)
    open_chat: dict[str, list[Message]] = field(default_factory=dict)

    def say(self, tenant: str, text: str, *, goes_on: bool = False) -> str:
        history = self.open_chat.get(tenant, []) if goes_on else []
        self.turns += 1
        task = Task(id=f"turn-{self.turns}", goal=text, tenant=tenant, environment="chat", skill="vault")
        episode = self.learner.wake(task, history=history)
        answered: list[Message] = [{"role": "user", "content": text}, {"role": "assistant", "content": episode.answer}]
        self.open_chat[tenant] = [*history, *answered]
        return episode.id

    def tell(self, tenant: str, word: str, *, goes_on: bool = False) -> str:
        id = self.say(tenant, f"the vault word is {word}", goes_on=goes_on)
        self.given.setdefault(word, []).append(id)
        self.tenant_of[word] = tenant
        return id

    def correct(self, tenant: str, id: str, word: str) -> None:
        self.learner.feedback(id, tenant=tenant, success=False, correction=f"noted: {word}")
        if id not in self.given[word]:
            self.given[word].append(id)

    def work(self, tenant: str, word: str) -> None:
        """Begin a run of tools that goes on from where the secret was said, and leave it under way."""
        task = Task(id=f"work-{tenant}", goal="open the vault with tools", tenant=tenant, environment="chat", skill="vault")
        run = self.learner.runs.begin(task, id=f"work-under-way-{tenant}", previous=self.given[word][0])
        run.tool("open_vault", {"word": word}, f"{word} opens it")

    def forget(self, word: str) -> list[Receipt]:
        receipts = []
        for id in self.given[word]:
            record = self.learner.record
            if record.episodes.existing([id]) or record.cues.find(episodes=[id]) or record.compressed.find(episodes=[id]):
                receipts.append(self.learner.forget(episode=id))
        return receipts


def planted(home: Path) -> tuple[Chats, str, str]:
    """Two tenants with a secret each, told, corrected, repeated by the model, carried on as history and used by a run under way."""
    chats = Chats(open_echo(home))
    words = secret(1), secret(2)
    for tenant, word in zip(("ann", "anna"), words, strict=True):
        chats.correct(tenant, chats.tell(tenant, word), word)
        chats.say(tenant, "and the capital of Norway", goes_on=True)
        for text in ("the vault word, please", "tell me the vault word again", "the vault word in capitals"):
            chats.say(tenant, text)
        chats.work(tenant, word)
    return chats, *words


class Stopped(BaseException):
    """As if the process had been killed."""


@contextmanager
def dying_at(write: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The process dies before its n-th transaction; the list holds how many it began. Threads that index meanwhile do not count."""
    begun, whole, caller = [0], Database.transaction, threading.get_ident()

    @contextmanager
    def counted(self: Database, *, synced: bool = True) -> Iterator[object]:
        if threading.get_ident() == caller and not self._connection.in_transaction:
            if begun[0] == write:
                raise Stopped
            begun[0] += 1
        with whole(self, synced=synced) as connection:
            yield connection

    with monkeypatch.context() as patched:
        patched.setattr(Database, "transaction", counted)
        yield begun
