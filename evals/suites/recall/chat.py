"""Facts that are told in chats and asked for in new ones: whether the right one stands in the prompt, and nothing where none is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....core import UNKNOWN, Action, Episode, Observation, Task
from ....core.settings import MemorySettings
from ....memory import Record
from ....numerics.arrays import Floats, Vector
from ....orchestrator.turn_memory import TurnMemory
from ....perception import Encoder
from ...data.chat_facts import ChatFact, chat_facts, chatter, unrelated_questions
from ...results_file import Row

SESSIONS = 5
"""Chats in which the facts are told."""
START = 1_780_000_000.0
"""When the first is told, in seconds since the epoch."""
DAY = 86_400.0
TELLER, OTHER = "teller", "somebody-else"
"""Tenants: who told the facts, and who did not."""

MakeRow = Callable[[str, str, str, Sequence[float] | Floats], Row]
"""Makes a row of a case, a method, a metric and one figure a question."""


@dataclass(frozen=True, kw_only=True)
class Chats:
    """A record that heard the facts among other turns."""

    record: Record
    """The record."""
    turns: TurnMemory
    """Its index."""
    blank: Vector
    """In the place of an episode's own embedding `(d,)`, which nothing here reads."""

    def say(self, texts: Sequence[str], session: str, at: float) -> None:
        """Record what a person says in one chat, turn after turn, each answered."""
        pairs = []
        for number, text in enumerate(texts):
            id = f"{session}-{number}"
            task = Task(id=id, goal=text, environment="chat", session=session, tenant=TELLER)
            steps = (Observation(text=text), Action(text="Noted."))
            pairs.append((Episode(id=id, task=task, steps=steps, outcome=UNKNOWN, created=at + number), self.blank))
        self.record.episodes.record_many(pairs)
        self.turns.finish()

    def prompt(self, question: str, tenant: str = TELLER) -> str:
        """What memory puts into the prompt of a question in a new chat, by the default settings."""
        task = Task(id="asked", goal=question, environment="chat", session="new", tenant=tenant)
        shown = self.turns.block(task, None, None, MemorySettings(), count_tokens, adapted=False, profile=True)
        return shown.text if shown else ""


def count_tokens(text: str) -> int:
    """About as many as a tokenizer would count."""
    return len(text) // 4 + 1


@contextmanager
def opened_chats(encoder: Encoder) -> Iterator[Chats]:
    """An empty record for a while."""
    with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder, Record(Path(folder) / "record.sqlite3") as record:
        turns = TurnMemory(record, encoder)
        yield Chats(record=record, turns=turns, blank=np.zeros(encoder.dimensions, dtype=np.float32))
        turns.close()


def chat_rows(encoder: Encoder, method: str, row: MakeRow, *, facts: int = 50, others: int = 500, seed: int = 0) -> list[Row]:
    """Share of facts whose sentence stands in the prompt, and of unrelated questions for which nothing is shown.

    Asked in the same words, in others, in German, after an update, by another tenant, and after being forgotten.
    """
    facts_told, said = chat_facts(facts, seed), chatter(others, seed)
    found: dict[str, list[float]] = {}
    with opened_chats(encoder) as chats:
        for session in range(SESSIONS):
            chats.say(_mixed(facts_told[session::SESSIONS], said[session::SESSIONS]), f"chat-{session}", START + session * DAY)

        def asked(case: str, question: Callable[[ChatFact], str], sentence: Callable[[ChatFact], str], tenant: str = TELLER) -> None:
            found[case] = [float(sentence(fact) in chats.prompt(question(fact), tenant)) for fact in facts_told]

        asked("in the same words", lambda fact: fact.same_words, lambda fact: fact.statement)
        asked("in other words", lambda fact: fact.other_words, lambda fact: fact.statement)
        asked("in German", lambda fact: fact.german, lambda fact: fact.statement)
        asked("by another tenant", lambda fact: fact.same_words, lambda fact: fact.value, OTHER)
        silent = {
            case: [float(not chats.prompt(question)) for question in unrelated_questions(2 * facts, seed, mentioned=mentioned)]
            for case, mentioned in (("unrelated questions", False), ("questions about things mentioned in passing", True))
        }
        chats.say([fact.update for fact in facts_told], "updates", START + (SESSIONS + 1) * DAY)
        asked("after an update", lambda fact: fact.same_words, lambda fact: fact.update)
        ids = [episode.id for episode in chats.record.episodes.find(tenant=TELLER) if episode.task.goal in _sentences(facts_told)]
        chats.record.erase(ids)
        chats.turns.forget([TELLER])
        chats.turns.finish()
        asked("after being forgotten", lambda fact: fact.same_words, lambda fact: fact.statement)
    name = f"{facts} facts among {others} other turns"
    rows = [row(f"{name}, {case}", method, "fact_in_prompt_rate", values) for case, values in found.items()]
    return [*rows, *(row(f"{name}, {case}", method, "shown_nothing_rate", values) for case, values in silent.items())]


def _mixed(facts: Sequence[ChatFact], others: Sequence[str]) -> list[str]:
    """The facts spread evenly over what else is said."""
    every = len(others) // max(1, len(facts)) + 1
    spread = {place * every: fact.statement for place, fact in enumerate(facts)}
    remarks = iter(others)
    return [spread[place] if place in spread else next(remarks) for place in range(len(facts) + len(others))]


def _sentences(facts: Sequence[ChatFact]) -> set[str]:
    return {text for fact in facts for text in (fact.statement, fact.update)}
